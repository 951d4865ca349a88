import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { endings, Stage } from "../support/stage.js";

const stage = new Stage();

describe("many calls", () => {
  it("use one connection per endpoint, however many follow each other", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server]);

    const results = [];
    for (let call = 0; call < 1_000; call++) results.push(await unary(client, "x"));

    expect(endings(results)).toEqual({ OK: 1_000 });
    expect([server.peers.size, server.executions.Unary]).toEqual([1, 1_000]);
  });

  it("use one connection per endpoint, however many run together", async () => {
    const servers = [await stage.server(), await stage.server()];
    const { client } = await stage.warm(servers);

    const results = await Promise.all(Array.from({ length: 100 }, () => unary(client, "x")));

    expect(endings(results)).toEqual({ OK: 100 });
    expect(servers.map(({ peers, executions }) => [peers.size, executions.Unary])).toEqual([
      [1, 50],
      [1, 50],
    ]);
  });

  it("of all four kinds share the connection", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server]);

    const unaryResult = await unary(client, "a");
    const served = await collect(client.serverStream(Buffer.from("a,b,c")));
    const duplex = client.bidi();
    const echoed = collect(duplex);
    for (const text of ["x", "y"]) duplex.write(Buffer.from(text));
    duplex.end();
    const sent = new Promise<string>((resolve, reject) => {
      const stream = client.clientStream((error, answer) =>
        error ? reject(error) : resolve(String(answer)),
      );
      for (const text of ["1", "2", "3"]) stream.write(Buffer.from(text));
      stream.end();
    });

    expect(unaryResult).toEqual({ ok: true, text: "a" });
    expect(served.texts).toEqual(["a", "b", "c"]);
    expect((await echoed).texts).toEqual(["x", "y"]);
    expect(await sent).toBe("1,2,3");
    expect(server.peers.size).toBe(1);
  });
});

describe("two channels to one target", () => {
  it("have a connection each, where equal bare clients share one (R169)", async () => {
    const server = await stage.server();
    const [first, second] = [stage.harden([server]), stage.harden([server])];

    await Promise.all([unary(first.client, "x"), unary(second.client, "x")]);
    const ours = server.peers.size;
    server.peers.clear();
    const shared = { "grpc.use_local_subchannel_pool": 0 };
    const bare = [stage.bare([server], undefined, shared), stage.bare([server], undefined, shared)];
    for (const client of bare) await unary(client, "x");

    expect([ours, server.peers.size]).toEqual([2, 1]);
  });
});
