import { z } from "zod";
import { configSchema } from "./config-options.js";

/** What editors show, by place; `*` is any name. The comments of the options say more. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  channels: "Channels by name, for holdfast.channel(name) and holdfast.stub(name, Class).",
  clerks: "Clients of replicated key-value services by name, for holdfast.clerk(name).",
  raftPeers: "Raft clusters by name, for holdfast.raftPeers(name).",
  "channels.*.target":
    "Where the servers are: dns:///host:port, static:///a:1,b:2, ipv4:, ipv6:, unix: or host:port.",
  "channels.*.preset":
    "Defaults under what is set here. The defaults that this schema names are those of grpc.",
  "channels.*.timeoutMs":
    "Time for a call with a single response, attempts and waits included, in ms; null for none.",
  "channels.*.attemptTimeoutMs": "Limit of one attempt, in ms; null for none. At most timeoutMs.",
  "channels.*.waitForReady":
    "True to wait for a server until the deadline instead of failing while all are down.",
  "channels.*.retry": "When and how often failed attempts are repeated; false makes one attempt.",
  "channels.*.breaker": "Circuit breaker per endpoint; false for none.",
  "channels.*.methods": "Options by package.Service/Method or package.Service; the more exact name wins.",
  "channels.*.methods.*.idempotent": "True when running the method twice does no harm.",
  "clerks.*.servers": "The servers, as host:port; or give target.",
  "clerks.*.target":
    "A target as of a channel, whose endpoints are the servers, also when they change; or give servers.",
  "clerks.*.sessions": "Writes in flight at once, each in a session of its own.",
  "clerks.*.timeoutMs": "Time for one operation, every attempt, wait and election included, in ms.",
  "clerks.*.channel": "Further options of the channels to the servers; the preset eraft lies beneath.",
  "raftPeers.*.addresses": "All nodes of the cluster, as host:port, in the order of their numbers.",
  "raftPeers.*.me": "This node's place in addresses; may also be said in code.",
  "raftPeers.*.channel": "Further options of the channels to the peers; the preset raft lies beneath.",
  "*.*.tls": "PEM files for TLS; {} trusts the authorities that Node trusts.",
  "*.*.tls.caFile":
    "Certificates of the authorities to trust; relative paths begin at the folder of this file.",
  "*.*.tls.certFile": "This client's certificate chain, for mutual TLS. Needs keyFile.",
  "*.*.tls.keyFile": "The private key of certFile, without a passphrase.",
  "*.*.insecure": "True for plaintext, in place of tls.",
};

type Schema = { [key: string]: unknown };

/** The schema of the file for editors, as JSON Schema 2020-12; most rules across keys are beyond it. */
export function configJsonSchema(): object {
  const schema: Schema = z.toJSONSchema(
    configSchema(() => []),
    { io: "input", unrepresentable: "any" },
  );
  for (const [place, description] of Object.entries(DESCRIPTIONS)) {
    for (const found of placesIn(schema, place)) found["description"] = description;
  }
  // Their preset, and so their defaults, are others than those of the schema.
  for (const channel of placesIn(schema, "*.*.channel")) dropBelow(channel, "default");
  dropRefused(schema);
  return {
    ...schema,
    patternProperties: { "^x-": { description: "A template for YAML anchors; not read." } },
  };
}

/** The schemas at a place, which are several where it has a `*`. */
export function placesIn(schema: object, place: string): Schema[] {
  return place
    .split(".")
    .reduce<Schema[]>((schemas, step) => schemas.flatMap((at) => childrenOf(at, step)), [schema as Schema]);
}

function childrenOf({ properties, additionalProperties }: Schema, step: string): Schema[] {
  const known = isSchema(properties) ? properties : {};
  if (step !== "*") return [known[step]].filter(isSchema);
  return isSchema(additionalProperties) ? [additionalProperties] : Object.values(known).filter(isSchema);
}

function dropBelow(schema: Schema, key: string): void {
  Reflect.deleteProperty(schema, key);
  for (const inner of Object.values(schema).filter(isSchema)) dropBelow(inner, key);
}

/** Keys that are known only to be refused with a reason. */
function dropRefused(schema: Schema): void {
  for (const [key, inner] of Object.entries(schema)) {
    if (!isSchema(inner)) continue;
    if (inner["deprecated"] === true) Reflect.deleteProperty(schema, key);
    else dropRefused(inner);
  }
}

function isSchema(value: unknown): value is Schema {
  return typeof value === "object" && value !== null;
}
