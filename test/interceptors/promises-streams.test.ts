import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { turns, until } from "../support/event-loop.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { readToEnd, rejection, scenes, signalled, standstill, WAYS } from "./promises-scene.js";

const open = scenes();
const A = Buffer.from("a");

describe.each(WAYS)("answers read %s", (way) => {
  it("come in order before the failure that followed them, however slow their reader is", async () => {
    const failed = signalled();
    const { client } = await open(
      {
        list(call) {
          for (let count = 0; count < 5; count++) call.write(Buffer.of(count));
          setImmediate(() => {
            call.emit("error", { code: grpc.status.DATA_LOSS, details: "the disk is gone" });
            failed.resolve();
          });
        },
      },
      { way },
    );
    const stream = client.list(A);
    await failed.promise;
    await turns(20);

    const { items, error } = await readToEnd(stream);

    expect(items.map((item) => item[0])).toEqual([0, 1, 2, 3, 4]);
    expect(error).toMatchObject({ code: grpc.status.DATA_LOSS, reason: "REMOTE", processed: "yes" });
  });

  it("fail again when asked again, so that a failed stream never passes for a complete one", async () => {
    const { client } = await open(
      { list: (call) => call.emit("error", { code: grpc.status.ABORTED, details: "no" }) },
      { way },
    );
    const stream = client.list(A);

    const first = await rejection(stream.next());
    const second = await rejection(stream.next());

    expect([first.code, second.code]).toEqual([grpc.status.ABORTED, grpc.status.ABORTED]);
  });

  it.each(["break", "throw", "return"])("cancel the call when the loop is left by %s", async (exit) => {
    const cancelled = signalled();
    const { client } = await open(
      {
        list(call) {
          call.on("cancelled", () => cancelled.resolve());
          call.write(A);
        },
      },
      { way },
    );
    const codes: number[] = [];
    const leave = async (): Promise<void> => {
      for await (const _answer of client.list(A, { onStatus: ({ code }) => void codes.push(code) })) {
        if (exit === "throw") throw new Error("enough");
        if (exit === "return") return;
        break;
      }
    };

    const left = await leave().catch((error: Error) => error.message);
    await cancelled.promise;
    await until(() => codes.length > 0, "the status");

    expect(left).toBe(exit === "throw" ? "enough" : undefined);
    expect(codes).toEqual([grpc.status.CANCELLED]);
  });

  it("end at once for whoever waits when the call is cancelled, with the reason as cause", async () => {
    const cancelled = signalled();
    const reason = new Error("not needed any more");
    const { client } = await open(
      { list: (call) => void call.on("cancelled", () => cancelled.resolve()) },
      { way },
    );
    const stream = client.list(A);
    const waiting = rejection(stream.next());
    await turns(10);

    stream.cancel(reason);
    const error = await waiting;
    stream.cancel();
    await cancelled.promise;

    expect(error).toMatchObject({ code: grpc.status.CANCELLED, reason: "CANCELLED", cause: reason });
  });

  it("make the server wait when nobody reads them, and all arrive when somebody does", async () => {
    const size = 64 * 1024;
    const total = 300;
    let written = 0;
    const { client } = await open(
      {
        list(call) {
          const write = (): void => {
            while (written < total) {
              written++;
              if (!call.write(Buffer.alloc(size, written)) && written < total) {
                return void call.once("drain", write);
              }
            }
            call.end();
          };
          write();
        },
      },
      { way },
    );
    const stream = client.list(A);
    await stream.next();
    const stalledAt = await standstill(() => written);

    const { items, error } = await readToEnd(stream);

    // 1 MiB is read ahead; a stream of grpc-js holds 16 messages, the rest are windows and buffers of both sides.
    expect(stalledAt).toBeLessThan(100);
    expect(error).toBeNull();
    expect(items).toHaveLength(total - 1);
  });

  it("go to each of several who wait, in their order", async () => {
    const { client } = await open(
      {
        list(call) {
          for (let count = 0; count < 3; count++) call.write(Buffer.of(count));
          call.end();
        },
      },
      { way },
    );
    const stream = client.list(A);

    const steps = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()]);

    expect(steps.map(({ value }) => value?.[0])).toEqual([0, 1, 2, undefined]);
    expect(steps.map(({ done }) => done)).toEqual([false, false, false, true]);
  });

  it("come before the loss of the connection that cut them off", async () => {
    const handlers = { list: (call: grpc.ServerWritableStream<Buffer, Buffer>) => void call.write(A) };
    const { port } = await open(handlers);
    const proxy = await FaultProxy.start(port);
    const { client } = await open(handlers, { way, address: proxy.address });
    const stream = client.list(A);
    const first = await stream.next();

    proxy.resetAll();
    const error = await rejection(stream.next());
    await proxy.close();

    expect(first.value).toEqual(A);
    expect(error).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      reason: "CONNECTION_LOST",
      processed: "yes",
    });
  });

  it("are no unhandled rejection when the call fails and nobody reads", async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", note);
    const codes: number[] = [];
    const fail = (call: grpc.ServerWritableStream<Buffer, Buffer>): void =>
      void call.emit("error", { code: grpc.status.INTERNAL, details: "no" });
    const { client } = await open(
      { list: fail, talk: (call) => void call.emit("error", { code: grpc.status.INTERNAL, details: "no" }) },
      { way },
    );

    client.list(A, { onStatus: ({ code }) => void codes.push(code) });
    client.talk({ onStatus: ({ code }) => void codes.push(code) }).write(A);
    await until(() => codes.length === 2, "both failures");
    await turns(5);
    process.removeListener("unhandledRejection", note);

    expect(codes).toEqual([grpc.status.INTERNAL, grpc.status.INTERNAL]);
    expect(unhandled).toEqual([]);
  });
});
