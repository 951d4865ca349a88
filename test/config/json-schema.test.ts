import { describe, expect, it } from "vitest";
import { PRESET_NAMES } from "../../src/call/channel-options.js";
import { configJsonSchema, placesIn } from "../../src/config/json-schema.js";
import { KEY_DESCRIPTIONS } from "../../src/config/key-descriptions.js";
import { Holdfast } from "../../src/holdfast.js";
import { policyNames } from "../../src/pool/pickers/registry.js";

/** One of the forms that `loadBalancing` may have, as far as it is an object. */
interface LoadBalancingForm {
  readonly properties: { readonly policy: { readonly enum?: string[]; readonly not?: { enum: string[] } } };
  readonly additionalProperties?: false;
}

const schema = configJsonSchema();
const at = (place: string) => placesIn(schema, place);

/** Every object inside. */
function nodesIn(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  return [value, ...Object.values(value).flatMap(nodesIn)];
}

describe("the schema for editors", () => {
  it("is plain JSON, and the same each time", () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(Holdfast.jsonSchema());
  });

  it("offers the presets where one may be chosen, and nowhere else", () => {
    expect(at("channels.*.preset")).toEqual([expect.objectContaining({ enum: PRESET_NAMES })]);
    expect([...at("clerks.*.channel.preset"), ...at("raftPeers.*.channel.preset")]).toEqual([]);
  });

  it("offers below a Clerk and below peers what may stand there", () => {
    const keys = ["timeoutMs", "attemptTimeoutMs", "retry", "keepalive"];

    expect(keys.filter((key) => at(`clerks.*.channel.${key}`).length > 0)).toEqual(["keepalive"]);
    expect(keys.filter((key) => at(`raftPeers.*.channel.${key}`).length > 0)).toEqual(keys);
  });

  it("names no default where the preset beneath has another", () => {
    const channels = at("*.*.channel");

    expect(channels).toHaveLength(2);
    expect(channels.flatMap(nodesIn).filter((node) => "default" in node)).toEqual([]);
    expect(at("channels.*.connectTimeoutMs")).toEqual([expect.objectContaining({ default: 10_000 })]);
  });

  it("knows what names look like", () => {
    for (const section of at("*").filter((node) => "additionalProperties" in node)) {
      const { pattern } = section["propertyNames"] as { pattern: string };

      expect(["users", "a.b", "a b", ""].filter((name) => new RegExp(pattern).test(name))).toEqual(["users"]);
    }
  });

  it("asks for TLS or plaintext, and for servers or a target", () => {
    const secured = {
      oneOf: [{ required: ["tls"] }, { required: ["insecure"], properties: { insecure: { const: true } } }],
    };
    const reached = { oneOf: [{ required: ["servers"] }, { required: ["target"] }] };

    expect(at("channels.*")).toEqual([expect.objectContaining({ ...secured, required: ["target"] })]);
    expect(at("clerks.*")).toEqual([expect.objectContaining({ allOf: [secured, reached] })]);
    expect(at("raftPeers.*")).toEqual([expect.objectContaining({ ...secured, required: ["addresses"] })]);
  });

  it("offers the policies of load balancing by name, and each with its own options", () => {
    const [{ anyOf }] = at("channels.*.loadBalancing") as [{ anyOf: LoadBalancingForm[] }];
    const [name, ...withOptions] = anyOf as [{ examples: string[] }, ...LoadBalancingForm[]];

    expect(name.examples).toEqual(policyNames());
    const optionsOf = (policy: string) => {
      const form = withOptions.find(({ properties }) => properties.policy.enum?.includes(policy));
      return { keys: Object.keys(form!.properties), isClosed: form!.additionalProperties === false };
    };
    for (const policy of policyNames()) expect(optionsOf(policy).isClosed).toBe(true);
    expect(optionsOf("round_robin").keys).toEqual(["policy"]);
    expect(optionsOf("pick_first").keys).toEqual(["policy", "shuffleAddressList"]);
    expect(optionsOf("least_request_experimental").keys).toEqual(["policy", "choiceCount"]);
    expect(optionsOf("ring_hash").keys).toContain("minRingSize");
    expect(at("channels.*.loadBalancing.choiceCount")).toEqual([
      expect.objectContaining({ type: "integer", minimum: 2, default: 2 }),
    ]);
  });

  it("leaves room for policies of one's own, by names that mean nothing else", () => {
    const [{ anyOf }] = at("channels.*.loadBalancing") as [{ anyOf: LoadBalancingForm[] }];
    const own = anyOf.at(-1)!;

    expect(own).toMatchObject({ type: "object", required: ["policy"] });
    expect(own).not.toHaveProperty("additionalProperties");
    expect(own.properties.policy.not?.enum).toEqual(
      expect.arrayContaining([...policyNames(), "least_pending", "xds", "outlier_detection"]),
    );
  });

  it("lets templates stand at the top", () => {
    const { patternProperties, additionalProperties } = schema as Record<string, object>;

    expect([Object.keys(patternProperties!), additionalProperties]).toEqual([["^x-"], false]);
  });

  it("says of every key, at every depth, what it is for", () => {
    const keys = nodesIn(schema).flatMap((node) =>
      Object.entries((node as { properties?: Record<string, object> }).properties ?? {}),
    );
    // A constant is the condition of a choice, whose key is described beside it.
    const undescribed = keys.filter(([, node]) => !("description" in node || "const" in node));

    expect(keys.length).toBeGreaterThan(200);
    expect(undescribed.map(([key]) => key)).toEqual([]);
  });

  it("describes nothing that is not there", () => {
    const idle = Object.keys(KEY_DESCRIPTIONS).filter((place) => at(place).length === 0);

    // A method's retry has fewer keys than a channel's.
    expect(idle.filter((place) => !/methods\.\*\.retry\./.test(place))).toEqual([]);
  });
});
