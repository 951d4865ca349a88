import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CallResult, collect, unary } from "../support/counting-server.js";
import { Stage } from "../support/stage.js";
import { CompressingServer, respondWith } from "./compressing-server.js";

const stage = new Stage();
const GZIP = callOptions({ compression: "gzip" });
const MIB = 1024 * 1024;

/** Half of it can be compressed. */
function textOf(bytes: number): string {
  let state = 1;
  const random = Array.from({ length: bytes / 2 }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return String.fromCharCode(97 + (state % 26));
  });
  return random.join("") + "x".repeat(bytes - random.length);
}

function textIn(result: CallResult): string {
  if (!result.ok) throw result.error;
  return result.text;
}

describe("D03: a request on the wire", () => {
  it("is not compressed, and says which answers are understood", async () => {
    const server = new CompressingServer();
    const raw = await stage.raw(server.handler);
    const { client } = await stage.warm([raw]);

    expect(textIn(await unary(client, "hello"))).toBe("hello");

    expect(server.route).toEqual(["none false 0"]);
    expect(server.requests[0]?.acceptEncoding).toBe("identity,deflate,gzip");
  });

  it.each(["gzip", "deflate"] as const)(
    "B07, E20: is compressed with %s only where the call asks for it",
    async (compression) => {
      const server = new CompressingServer();
      const raw = await stage.raw(server.handler);
      const { client } = await stage.warm([raw]);

      const texts = [
        textIn(await unary(client, "plain")),
        textIn(await unary(client, "squeezed", callOptions({ compression }))),
        textIn(await unary(client, "plain again")),
        textIn(await unary(client, "squeezed again", callOptions({ compression }))),
      ];

      expect(texts).toEqual(["plain", "squeezed", "plain again", "squeezed again"]);
      expect(server.requests.map(({ message }) => String(message))).toEqual(texts);
      expect(server.route).toEqual([
        "none false 0",
        `${compression} true 1`,
        "none false 0",
        `${compression} true 1`,
      ]);
      expect(raw.sessionsOpened).toBe(2);
    },
  );

  it("is compressed by the channel's option, over one connection, unless the call says identity", async () => {
    const server = new CompressingServer();
    const raw = await stage.raw(server.handler);
    const { client } = await stage.warm([raw], { compression: "gzip" });

    await unary(client, "a");
    await unary(client, "b", GZIP);
    expect(raw.sessionsOpened).toBe(1);
    await unary(client, "c", callOptions({ compression: "identity" }));

    expect(server.route).toEqual(["gzip true 0", "gzip true 0", "none false 1"]);
  });

  it("is compressed by the method's option, unless the call says otherwise", async () => {
    const server = new CompressingServer();
    const raw = await stage.raw(server.handler);
    const methods = { "holdfast.test.Counter/Unary": { compression: "gzip" as const } };
    const { client } = await stage.warm([raw], { methods });

    await unary(client, "a");
    await unary(client, "b", callOptions({ compression: "identity" }));

    expect(server.route).toEqual(["gzip true 0", "none false 1"]);
  });

  it("is not compressed again for a server that says it cannot read it", async () => {
    const server = new CompressingServer(respondWith(undefined, { "grpc-accept-encoding": "identity" }));
    const raw = await stage.raw(server.handler);
    const { client } = await stage.warm([raw]);

    await unary(client, "a", GZIP);
    await unary(client, "b", GZIP);

    expect(server.route).toEqual(["gzip true 0", "none false 0"]);
  });
});

describe("D04: a message of 3.9 MiB", () => {
  it.each(["identity", "gzip", "deflate"] as const)("makes the round trip with %s", async (compression) => {
    const server = await stage.server();
    const { client } = await stage.warm([server]);
    const text = textOf(3.9 * MIB);

    const answer = textIn(await unary(client, text, callOptions({ compression })));

    expect(answer === text).toBe(true);
    expect(server.peers.size).toBe(1);
  });

  it("keeps its place among others of a stream, each compressed by itself", async () => {
    const server = await stage.server();
    const { client } = await stage.warm([server]);
    const texts = ["a", textOf(3.9 * MIB), "b", textOf(MIB), "c"];

    const call = client.bidi(GZIP);
    for (const text of texts) call.write(Buffer.from(text));
    call.end();
    const { texts: answers, status } = await collect(call);

    expect(status.code).toBe(0);
    expect(answers.map((answer, index) => answer === texts[index])).toEqual(Array(5).fill(true));
  });

  it("is smaller on the wire where it is compressed, and held to maxSendMessageBytes before that", async () => {
    const server = new CompressingServer(respondWith());
    const raw = await stage.raw(server.handler);
    const { client } = await stage.warm([raw], { maxSendMessageBytes: 2 * MIB });

    expect(textIn(await unary(client, "x".repeat(2 * MIB), GZIP))).toHaveLength(2 * MIB);
    expect(server.requests[0]?.wireBytes).toBeLessThan(10_000);
    const tooLarge = await unary(client, "x".repeat(2 * MIB + 1), GZIP);

    expect(tooLarge).toMatchObject({ ok: false, error: { reason: "MESSAGE_TOO_LARGE", processed: "no" } });
  });
});

describe("B07: the endpoints of compressed calls", () => {
  it("are those of the channel: one that is removed gets GOAWAY from both of its connections", async () => {
    const servers = [new CompressingServer(), new CompressingServer()];
    const [first, second] = await Promise.all(servers.map(({ handler }) => stage.raw(handler)));
    if (first === undefined || second === undefined) throw new Error("no servers");
    const { client, channel } = await stage.warm([first]);
    await unary(client, "a", GZIP);
    expect(first.sessionsOpened).toBe(2);
    const closed = first.sessions.map((session) => new Promise((resolve) => session.once("close", resolve)));

    channel.updateEndpoints([second.address]);
    await Promise.all(closed);
    await unary(client, "b", GZIP);

    expect(channel.endpoints()).toMatchObject([{ address: second.address }]);
    expect(servers[1]?.route).toEqual(["gzip true 0"]);
  });

  it("get no connection for compression on a channel that never uses it", async () => {
    const raw = await stage.raw(new CompressingServer().handler);
    const { client } = await stage.warm([raw]);

    await Promise.all(["a", "b", "c"].map((text) => unary(client, text)));

    expect(raw.sessionsOpened).toBe(1);
  });
});
