import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { turns } from "../support/event-loop.js";
import { readToEnd, rejection, scenes, signalled, standstill, WAYS } from "./promises-scene.js";

const open = scenes();
const A = Buffer.from("a");
const B = Buffer.from("b");
const BIG = Buffer.alloc(64 * 1024);

type Upload = grpc.ServerReadableStream<Buffer, Buffer>;

describe.each(WAYS)("an iterable of requests sent %s", (way) => {
  const count = (call: Upload, callback: grpc.sendUnaryData<Buffer>): void => {
    let received = 0;
    call.on("data", () => void received++);
    call.on("end", () => callback(null, Buffer.from(String(received))));
  };

  it.each([
    ["an array", () => [A, B, A]],
    ["a set", () => new Set([Buffer.of(1), Buffer.of(2), Buffer.of(3)])],
    [
      "a generator",
      function* () {
        yield* [A, B, A];
      },
    ],
    [
      "an async generator",
      async function* () {
        yield* [A, B, A];
      },
    ],
  ] as const)("may be %s", async (_name, make) => {
    const { client } = await open({ upload: count }, { way });

    expect(String(await client.upload(make()))).toBe("3");
  });

  it("gets its answer when it is empty", async () => {
    const { client } = await open({ upload: count }, { way });

    expect(String(await client.upload([]))).toBe("0");
  });

  it("is read no faster than the server reads", async () => {
    let given = 0;
    let reader: Upload | null = null;
    const { client } = await open(
      {
        upload(call, callback) {
          call.pause();
          reader = call;
          count(call, callback);
          call.pause();
        },
      },
      { way },
    );
    function* many(): Generator<Buffer> {
      for (; given < 200; given++) yield BIG;
    }

    const answer = client.upload(many());
    const stalledAt = await standstill(() => given);
    (reader as Upload | null)?.resume();

    expect(String(await answer)).toBe("200");
    expect(stalledAt).toBeLessThan(50);
  });

  it("cancels the call when it fails, and is named as the cause", async () => {
    const cancelled = signalled();
    const cause = new Error("the file is gone");
    const { client } = await open(
      { upload: (call) => void call.on("cancelled", () => cancelled.resolve()).resume() },
      { way },
    );
    let sent = 0;
    async function* failing(): AsyncGenerator<Buffer> {
      for (; sent < 3; sent++) yield A;
      await turns(5);
      throw cause;
    }

    const error = await rejection(client.upload(failing()));
    await cancelled.promise;

    expect(error).toMatchObject({ code: grpc.status.CANCELLED, reason: "CANCELLED", cause });
    expect(error.details).toContain("the file is gone");
  });

  it("does not hold up a failure of the server while it waits, and is closed", async () => {
    const closed = signalled();
    const { client } = await open(
      { upload: (_call, callback) => callback({ code: grpc.status.NOT_FOUND, details: "no such bucket" }) },
      { way },
    );
    const endless: AsyncIterable<Buffer> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => {}),
        return: async () => {
          closed.resolve();
          return { done: true, value: undefined };
        },
      }),
    };

    const error = await rejection(client.upload(endless));
    await closed.promise;

    expect(error).toMatchObject({ code: grpc.status.NOT_FOUND, details: "no such bucket" });
  });

  it("runs its finally block when the server answers before its end", async () => {
    const closed = signalled();
    const { client } = await open({ upload: (_call, callback) => callback(null, A) }, { way });
    async function* endless(): AsyncGenerator<Buffer> {
      try {
        for (;;) {
          yield B;
          await turns(1);
        }
      } finally {
        closed.resolve();
      }
    }

    expect(await client.upload(endless())).toEqual(A);
    await closed.promise;
  });

  it("feeds a bidirectional call, which ends after its last answer", async () => {
    const { client } = await open(
      {
        talk(call) {
          call.on("data", (message: Buffer) => call.write(message));
          call.on("end", () => call.end());
        },
      },
      { way },
    );

    const { items, error } = await readToEnd(client.talk([A, B]));

    expect(items).toEqual([A, B]);
    expect(error).toBeNull();
  });
});
