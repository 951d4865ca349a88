import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createChannel } from "../../src/call/create-channel.js";
import { channelFactory } from "../../src/call/rpc-channel.js";
import { type RpcChannel, type RpcStreamListener, systemClock } from "../../src/core/index.js";
import { CountingServer, counterService, fail, hang, unavailable } from "../support/counting-server.js";
import { turns, until } from "../support/event-loop.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

const { Unary, Bidi } = counterService;

/** Keeps what a stream said. */
class Heard implements RpcStreamListener<Buffer> {
  readonly messages: string[] = [];
  readonly ends: (Error | null)[] = [];

  onMessage(message: Buffer): void {
    this.messages.push(String(message));
  }

  onEnd(error: Error | null): void {
    this.ends.push(error);
  }

  get isOver(): boolean {
    return this.ends.length > 0;
  }
}

let server: CountingServer;
let baseline: LeakBaseline;
let channel: RpcChannel;

beforeEach(async () => {
  baseline = await leakBaseline();
  server = await CountingServer.start();
  channel = open();
});

afterEach(async () => {
  channel.close();
  await server.close();
  await baseline.expectClean();
});

function open(idempotent: readonly string[] = []): RpcChannel {
  const factory = channelFactory((target, options) => createChannel(target, options), systemClock);
  return factory(`static:///${server.address}`, { idempotent });
}

function ask(text: string, timeoutMs = 5_000, metadata = {}): Promise<Buffer> {
  return channel.unary(Unary, Buffer.from(text), { timeoutMs, metadata });
}

describe("a unary call", () => {
  it("brings the answer, and takes its metadata along", async () => {
    const answer = await ask("hello", 5_000, { token: "t-1" });

    expect(String(answer)).toBe("hello");
    expect(server.calls[0]?.metadata.get("token")).toEqual(["t-1"]);
  });

  it("rejects with the status that the server gave", async () => {
    server.script([fail(status.OUT_OF_RANGE, "required revision has been compacted")]);

    await expect(ask("x")).rejects.toMatchObject({
      code: status.OUT_OF_RANGE,
      details: "required revision has been compacted",
    });
  });

  it("rejects after its time, with gRPC's code", async () => {
    server.script([hang()]);

    await expect(ask("x", 50)).rejects.toMatchObject({ code: status.DEADLINE_EXCEEDED });
  });

  it("is repeated where it was said to be idempotent, and only there", async () => {
    server.script([unavailable(), unavailable(), (call, callback) => callback(null, call.request)]);

    await expect(ask("once")).rejects.toMatchObject({ code: status.UNAVAILABLE });
    channel.close();
    channel = open(["holdfast.test.Counter/Unary"]);

    expect(String(await ask("twice"))).toBe("twice");
    expect(server.executions.Unary).toBe(3);
  });

  it("is made however many have failed before, as whoever asks keeps the pace", async () => {
    server.script([
      ...Array.from({ length: 20 }, () => unavailable()),
      (call, callback) => callback(null, call.request),
    ]);
    for (let call = 0; call < 20; call++)
      await expect(ask("x")).rejects.toMatchObject({ details: "scripted" });

    expect(String(await ask("back"))).toBe("back");
  });

  it("that is under way when the channel is closed rejects", async () => {
    server.script([hang()]);
    const asked = ask("x");
    await server.received();

    channel.close();

    await expect(asked).rejects.toMatchObject({ code: status.CANCELLED, reason: "CLIENT_CLOSED" });
  });

  it("rejects after the channel was closed, as often as that was", async () => {
    channel.close();
    channel.close();

    await expect(ask("x")).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });
  });
});

describe("a stream", () => {
  it("brings messages in their order, and its end once", async () => {
    const heard = new Heard();
    server.bidi = (call) => {
      call.write(Buffer.from("1"));
      call.write(Buffer.from("2"));
      call.end();
    };

    channel.stream(Bidi, heard);
    const before = [...heard.messages];
    await until(() => heard.isOver, "the end");
    await turns(5);

    expect(before).toEqual([]);
    expect(heard.messages).toEqual(["1", "2"]);
    expect(heard.ends).toEqual([null]);
  });

  it("takes messages as long as it lasts", async () => {
    const heard = new Heard();
    const stream = channel.stream(Bidi, heard, { metadata: { hasleader: "true" } });

    for (const text of ["a", "b", "c"]) stream.send(Buffer.from(text));
    await until(() => heard.messages.length === 3, "three answers");
    stream.cancel();

    expect(heard.messages).toEqual(["a", "b", "c"]);
    expect(server.calls[0]?.metadata.get("hasleader")).toEqual(["true"]);
  });

  it("tells the error that it ended with, after the messages before it", async () => {
    const heard = new Heard();
    server.bidi = (call) => {
      call.write(Buffer.from("1"));
      call.emit("error", { code: status.UNAVAILABLE, details: "etcdserver: no leader" });
    };

    channel.stream(Bidi, heard);
    await until(() => heard.isOver, "the end");
    await turns(5);

    expect(heard.messages).toEqual(["1"]);
    expect(heard.ends).toEqual([expect.objectContaining({ code: status.UNAVAILABLE })]);
  });

  it("has no deadline", async () => {
    const stream = channel.stream(Bidi, new Heard());
    stream.send(Buffer.from("a"));
    await server.received();

    expect(server.calls[0]?.deadline).toBe(Number.POSITIVE_INFINITY);
    stream.cancel();
  });

  it("says nothing after it was cancelled, not even that, and the server hears of it", async () => {
    const heard = new Heard();
    const stream = channel.stream(Bidi, heard);
    stream.send(Buffer.from("a"));
    await until(() => heard.messages.length === 1, "an answer");

    stream.cancel();
    stream.cancel();
    stream.send(Buffer.from("b"));
    await until(() => server.calls[0]?.isCancelled === true, "the cancellation");
    await turns(5);

    expect(heard.ends).toEqual([]);
    expect(heard.messages).toEqual(["a"]);
  });

  it("may be cancelled by what it says", async () => {
    const heard = new Heard();
    const stream = channel.stream(Bidi, {
      onMessage: (message: Buffer) => {
        heard.onMessage(message);
        stream.cancel();
      },
      onEnd: (error) => heard.onEnd(error),
    });

    for (const text of ["a", "b", "c"]) stream.send(Buffer.from(text));
    await until(() => server.calls[0]?.isCancelled === true, "the cancellation");
    await turns(5);

    expect([heard.messages, heard.ends]).toEqual([["a"], []]);
  });

  it("ends with what its listener throws, and the others go on", async () => {
    const heard = new Heard();
    const other = new Heard();
    const ends: (Error | null)[] = [];
    channel
      .stream(Bidi, {
        onMessage: () => {
          throw new Error("not expected");
        },
        onEnd: (error) => ends.push(error),
      })
      .send(Buffer.from("a"));
    await until(() => server.calls[0]?.isCancelled === true, "the cancellation");

    const stream = channel.stream(Bidi, other);
    stream.send(Buffer.from("b"));
    await until(() => other.messages.length === 1, "an answer");

    expect(ends).toEqual([new Error("not expected")]);
    expect(heard.ends).toEqual([]);
    stream.cancel();
  });

  it("warns of a listener that throws at the end, and goes on", async () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    server.bidi = (call) => call.end();

    channel.stream(Bidi, {
      onMessage: () => {},
      onEnd: () => {
        throw new Error("not expected either");
      },
    });
    await until(
      () => warn.mock.calls.some(([text]) => String(text).includes("not expected either")),
      "a warning",
    );

    expect(String(await ask("still there"))).toBe("still there");
    warn.mockRestore();
  });

  it("ends when the channel is closed", async () => {
    const heard = new Heard();
    channel.stream(Bidi, heard).send(Buffer.from("a"));
    await server.received();

    channel.close();
    await until(() => heard.isOver, "the end");

    expect(heard.ends).toEqual([expect.objectContaining({ reason: "CLIENT_CLOSED" })]);
  });

  it("of a closed channel ends, and not before this is known", async () => {
    channel.close();
    const heard = new Heard();

    channel.stream(Bidi, heard);
    const endsBefore = heard.ends.length;
    await until(() => heard.isOver, "the end");

    expect(endsBefore).toBe(0);
    expect(heard.ends).toEqual([expect.objectContaining({ reason: "CLIENT_CLOSED" })]);
  });
});
