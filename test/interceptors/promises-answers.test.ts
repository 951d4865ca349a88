import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { promises, ResilienceError } from "holdfast";
import { describe, expect, it } from "vitest";
import { until } from "../support/event-loop.js";
import { bytesService, readToEnd, rejection, scenes, WAYS } from "./promises-scene.js";

const open = scenes();
const A = Buffer.from("a");
const one: grpc.handleUnaryCall<Buffer, Buffer> = (_call, callback) => callback(null, A);
/** A server that streams where the client expects one answer. */
const STREAMED = {
  one: { ...bytesService.one, responseStream: true },
  upload: { ...bytesService.upload, responseStream: true },
};
const streamed = (answers: number) => {
  const answer = (call: grpc.ServerWritableStream<Buffer, Buffer>): void => {
    for (let count = 0; count < answers; count++) call.write(Buffer.of(count));
    call.end();
  };
  return { one: answer, upload: answer } as never;
};

describe.each(WAYS)("a call %s", (way) => {
  it("whose answer cannot be parsed fails as processed, and is not made again", async () => {
    let runs = 0;
    const bug = new Error("wire type 7");
    const responseDeserialize = (): never => {
      throw bug;
    };
    const { client } = await open(
      {
        one(call, callback) {
          runs++;
          one(call, callback);
        },
      },
      { way, codecs: { responseDeserialize } },
    );

    const error = await rejection(client.one(A, { idempotent: true }));

    expect(error).toMatchObject({ code: grpc.status.INTERNAL, processed: "yes" });
    expect(error.details).toBe("Response message parsing error: wire type 7");
    expect(runs).toBe(1);
  });

  it("whose request cannot be serialised is never sent", async () => {
    let runs = 0;
    const requestSerialize = (): never => {
      throw new TypeError("id is no number");
    };
    const handlers = { one: () => void runs++, list: () => void runs++, talk: () => void runs++ };
    const { client } = await open(handlers, { way, codecs: { requestSerialize } });

    const unary = await rejection(client.one(A));
    const list = await readToEnd(client.list(A));
    const upload = await rejection(client.upload([A]));

    for (const error of [unary, list.error, upload]) {
      expect(error).toMatchObject({ code: grpc.status.INTERNAL, processed: "no" });
      expect(error?.details).toContain("Request message serialization failure: id is no number");
    }
    expect(runs).toBe(0);
  });

  it.each(["one", "upload"] as const)("of %s without an answer fails", async (name) => {
    const { client } = await open(streamed(0), { way, served: STREAMED });

    const error = await rejection(name === "one" ? client.one(A) : client.upload([A]));

    expect(error).toMatchObject({
      code: grpc.status.UNIMPLEMENTED,
      details: "No message received",
      processed: "yes",
    });
  });

  it("that cannot begin any more because its stub was closed says so", async () => {
    const { client, stub } = await open({ one }, { way });
    stub.close();

    const errors = [await rejection(client.one(A)), (await readToEnd(client.list(A))).error];

    for (const error of errors) expect(error).toMatchObject({ reason: "CLIENT_CLOSED", processed: "no" });
  });

  it("names its caller in the stack of its failure", async () => {
    const { client } = await open(
      { one: (_call, callback) => callback({ code: 5, details: "none" }) },
      { way },
    );
    async function readTheProfile(): Promise<Buffer> {
      return await client.one(A);
    }
    async function readTheList(): Promise<void> {
      for await (const _answer of client.list(A));
    }

    const errors = [await rejection(readTheProfile()), await rejection(readTheList())];

    expect(errors[0]).toBeInstanceOf(ResilienceError);
    expect(errors[0]?.stack).toContain("readTheProfile");
    expect(errors[1]?.stack).toContain("readTheList");
  });

  it("runs its hooks in its caller's context, and a hook that fails changes nothing", async () => {
    const storage = new AsyncLocalStorage<string>();
    const contexts: unknown[] = [];
    const warnings: string[] = [];
    const note = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", note);
    const { client } = await open(
      {
        one(call, callback) {
          call.sendMetadata(new grpc.Metadata());
          one(call, callback);
        },
      },
      { way },
    );
    const fail = (): never => {
      contexts.push(storage.getStore());
      throw new Error("a bug in the hook");
    };
    const options = { onHeaders: fail, onStatus: (async () => fail()) as () => void };

    const answers = await Promise.all(
      ["x", "y"].map((name) => storage.run(name, () => client.one(A, options))),
    );
    await until(() => contexts.length === 4, "four hooks");
    process.removeListener("warning", note);

    expect(answers).toEqual([A, A]);
    expect(contexts.toSorted()).toEqual(["x", "x", "y", "y"]);
    expect(warnings.filter((text) => text.includes("a bug in the hook")).length).toBeLessThanOrEqual(2);
  });
});

describe("a call straight to the channel", () => {
  it.each(["one", "upload"] as const)(
    "of %s with two answers fails at once, not at its deadline",
    async (name) => {
      const { client } = await open(streamed(2), { served: STREAMED });

      const error = await rejection(name === "one" ? client.one(A) : client.upload([A]));

      expect(error).toMatchObject({
        code: grpc.status.UNIMPLEMENTED,
        details: "Too many responses received",
      });
      expect(error).toMatchObject({ reason: "REMOTE", processed: "yes" });
    },
  );

  it("keeps what a codec threw as the cause", async () => {
    const bug = new Error("wire type 7");
    const responseDeserialize = (): never => {
      throw bug;
    };
    const { client } = await open(
      { one, list: (call) => void call.write(A) },
      { codecs: { responseDeserialize } },
    );

    const errors = [await rejection(client.one(A)), (await readToEnd(client.list(A))).error];

    for (const error of errors)
      expect(error).toMatchObject({ cause: bug, reason: "REMOTE", origin: "local" });
  });
});

it("gives the same client for the same stub, and refuses what is none", async () => {
  const { stub, client } = await open({});

  expect(promises(stub)).toBe(client);
  expect(() => promises({} as never)).toThrowError(/the stub is an object of class Object; allowed/);
  expect(() => promises(undefined as never)).toThrowError(/the stub is undefined/);
});
