import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Metadata, type ServerUnaryCall } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../src/gen/grpc/health/v1/health.js";
import { Holdfast } from "../src/holdfast.js";
import { type HealthyServer, healthyServer } from "./behaviour/pool-servers.js";
import { CounterClient, unary } from "./support/counting-server.js";
import { until } from "./support/event-loop.js";
import { Stage } from "./support/stage.js";
import { tempFolder } from "./support/temp-folder.js";
import { TestAuthority } from "./support/tls-certs.js";
import { tlsServerCredentials } from "./support/tls-server.js";

const stage = new Stage();

/** A channel `users` to these servers, from a file. */
async function fromFile(servers: readonly { readonly address: string }[], lines: string): Promise<Holdfast> {
  const file = join(tempFolder(), "holdfast.yaml");
  const target = `static:///${servers.map(({ address }) => address).join(",")}`;
  writeFileSync(file, `channels:\n  users:\n    target: ${target}\n${lines}`);
  return stage.use(await Holdfast.fromFile(file));
}

async function servers(count: number): Promise<HealthyServer[]> {
  return Promise.all(Array.from({ length: count }, () => healthyServer(stage)));
}

const served = (list: readonly HealthyServer[]) => list.map((server) => server.served);

describe("a channel from a file", () => {
  it("keeps away from a server that does not serve the service it names", async () => {
    const [sick, well] = (await servers(2)) as [HealthyServer, HealthyServer];
    for (const { health } of [sick, well]) health.set("", Serving.SERVING);
    sick.health.set("users", Serving.NOT_SERVING);
    well.health.set("users", Serving.SERVING);
    const holdfast = await fromFile([sick, well], "    insecure: true\n    health: { serviceName: users }\n");
    const stub = holdfast.stub("users", CounterClient);

    const results = [];
    for (let call = 0; call < 4; call++) results.push(await unary(stub, "x"));

    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(served([sick, well])).toEqual([0, 4]);
  });

  it("sends calls with the same key to the same server, by a policy with options", async () => {
    const list = await servers(3);
    const holdfast = await fromFile(
      list,
      "    insecure: true\n    loadBalancing: { policy: ring_hash, requestHashHeader: x-user-id }\n",
    );
    const stub = holdfast.stub("users", CounterClient);
    const metadata = new Metadata();
    metadata.set("x-user-id", "ada");

    for (let call = 0; call < 6; call++) await unary(stub, "x", { metadata });

    expect(served(list).toSorted()).toEqual([0, 0, 6]);
  });

  it("uses all servers where its subset may be larger", async () => {
    const list = await servers(2);
    const holdfast = await fromFile(
      list,
      "    insecure: true\n    subsetting: { policy: random_subsetting, subsetSize: 9 }\n",
    );
    const stub = holdfast.stub("users", CounterClient);
    await holdfast.channel("users").ready({ endpoints: "all" });

    for (let call = 0; call < 4; call++) await unary(stub, "x");

    expect(served(list)).toEqual([2, 2]);
  });

  it("has as many connections as the file says", async () => {
    const [server] = (await servers(1)) as [HealthyServer];
    const holdfast = await fromFile([server], "    insecure: true\n    poolSize: 3\n");

    await unary(holdfast.stub("users", CounterClient), "x");

    await until(() => holdfast.channel("users").endpoints()[0]?.connections === 3, "three connections");
  });

  it("goes by the new certificate once its file has one", async () => {
    const authority = await TestAuthority.create();
    const server = await stage.server({
      credentials: tlsServerCredentials(await authority.server(), { asks: true }),
      handler: (call, callback) => callback(null, Buffer.from(clientOf(call))),
    });
    const folder = tempFolder();
    const write = (name: string): void => {
      const { cert, key } = authority.freshClient(name);
      writeFileSync(join(folder, "cert.pem"), cert);
      writeFileSync(join(folder, "key.pem"), key);
    };
    write("first");
    writeFileSync(join(folder, "ca.pem"), authority.ca);
    const files = ["ca", "cert", "key"].map((kind) => `${kind}File: ${join(folder, kind)}.pem`).join(", ");
    const holdfast = await fromFile([server], `    tls: { ${files}, reloadMs: 100 }\n`);
    const stub = holdfast.stub("users", CounterClient);
    const before = await unary(stub, "x");

    write("second");

    expect(before).toEqual({ ok: true, text: "first" });
    await until(async () => {
      const result = await unary(stub, "x");
      expect(result.ok).toBe(true);
      return result.ok && result.text === "second";
    }, "a connection with the new certificate");
  });
});

function clientOf(call: ServerUnaryCall<Buffer, Buffer>): string {
  const { sslPeerCertificate } = call.getAuthContext() as {
    sslPeerCertificate?: { subject: { CN: string } };
  };
  return sslPeerCertificate?.subject.CN ?? "nobody";
}
