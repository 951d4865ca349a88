import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { ending, failureOf, Stage } from "../support/stage.js";
import { CompressingServer, respondFrame, respondWith } from "./compressing-server.js";

const stage = new Stage();
const MIB = 1024 * 1024;

describe("C23: an answer that the server compressed", () => {
  it.each(["gzip", "deflate"] as const)(
    "with %s is read, whether or not the request was",
    async (encoding) => {
      const raw = await stage.raw(new CompressingServer(respondWith(encoding)).handler);
      const { client } = await stage.warm([raw]);

      expect(await unary(client, "hello".repeat(1_000))).toEqual({ ok: true, text: "hello".repeat(1_000) });
    },
  );

  it("is read as it is where one message is not compressed", async () => {
    const reply = respondWith(undefined, { "grpc-encoding": "gzip" });
    const raw = await stage.raw(new CompressingServer(reply).handler);
    const { client } = await stage.warm([raw]);

    expect(await unary(client, "hello")).toEqual({ ok: true, text: "hello" });
  });

  it("of exactly maxReceiveMessageBytes is read", async () => {
    const raw = await stage.raw(new CompressingServer(respondWith("gzip")).handler);
    const { client } = await stage.warm([raw], { maxReceiveMessageBytes: MIB });

    expect(ending(await unary(client, "x".repeat(MIB)))).toBe("OK");
    expect(ending(await unary(client, "x".repeat(MIB + 1)))).toMatch(/^RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE/);
  });

  it("that would take a gigabyte ends as too large, and takes no more memory than the limit allows", async () => {
    // gzip members may follow each other; each is a MiB of zeros.
    const member = gzipSync(Buffer.alloc(MIB));
    const bomb = Buffer.concat(Array(1_024).fill(member));
    const raw = await stage.raw(({ stream }) =>
      respondFrame(stream, true, bomb, { "grpc-encoding": "gzip" }),
    );
    const { client, channel } = await stage.warm([raw], { maxReceiveMessageBytes: 4 * MIB });
    const before = process.resourceUsage().maxRSS;

    const failure = failureOf(await unary(client, "x"));

    expect(failure).toMatchObject({ reason: "MESSAGE_TOO_LARGE", origin: "local", processed: "maybe" });
    expect(failure.details).toContain(String(4 * MIB));
    // Its highest ever, in KiB.
    expect((process.resourceUsage().maxRSS - before) / 1_024).toBeLessThan(200);
    expect(channel.endpoints()).toMatchObject([{ state: "READY", breaker: "closed" }]);
  });

  it.each([
    ["that is damaged", "gzip", Buffer.from("this is no gzip")],
    ["that breaks off", "gzip", gzipSync(Buffer.from("hello")).subarray(0, 15)],
    ["with what nobody asked for", "snappy", Buffer.from("hello")],
    ["without saying how", "", Buffer.from("hello")],
  ])("%s ends the call with INTERNAL, and nothing else", async (_how, encoding, body) => {
    const headers = encoding === "" ? {} : { "grpc-encoding": encoding };
    const raw = await stage.raw(({ stream, index }) =>
      index === 1
        ? respondFrame(stream, true, body, headers)
        : respondFrame(stream, false, Buffer.from("fine")),
    );
    const { client } = await stage.warm([raw]);

    const failure = failureOf(await unary(client, "x"));

    expect(failure.code).toBe(13);
    expect(failure.details).toEqual(expect.any(String));
    expect(failure.processed).toBe("maybe");
    expect(await unary(client, "again")).toEqual({ ok: true, text: "fine" });
  });
});
