import { EventEmitter } from "node:events";
import { PassThrough, Readable } from "node:stream";
import * as grpc from "@grpc/grpc-js";
import { type CallStatus, promises } from "holdfast";
import { expect, it } from "vitest";
import { turns } from "../support/event-loop.js";
import { type BytesStub, readToEnd, rejection, stubClass } from "./promises-scene.js";

const A = Buffer.from("a");

type Callback = (error: unknown, reply?: Buffer) => void;

/** A stub as tests of other people's code make one: with methods that only look like those of grpc-js. */
function testStub(methods: object): BytesStub {
  const stub = new (stubClass())("127.0.0.1:1", grpc.credentials.createInsecure());
  return Object.assign(stub, methods);
}

it("takes an answer and a failure of a method that returns no call and tells no status", async () => {
  const statuses: CallStatus[] = [];
  const replies: [unknown, Buffer?][] = [[null, A], [new Error("made up")]];
  const client = promises(
    testStub({ one: (...args: unknown[]) => (args.at(-1) as Callback)(...(replies.shift() as [unknown])) }),
  );
  const options = { onStatus: (status: CallStatus) => void statuses.push(status) };

  const answer = await client.one(A, options);
  const error = await rejection(client.one(A, options));

  expect(answer).toEqual(A);
  expect(error).toMatchObject({ code: grpc.status.UNKNOWN, details: "made up" });
  expect(statuses.map(({ code }) => code)).toEqual([grpc.status.OK, grpc.status.UNKNOWN]);
});

it("reads any Readable, to its end or to its failure", async () => {
  const failing = async function* (): AsyncGenerator<Buffer> {
    yield A;
    await turns(1);
    throw new Error("made up");
  };
  const streams = [Readable.from([A, A]), Readable.from(failing())];
  const client = promises(testStub({ list: () => streams.shift() }));

  const good = await readToEnd(client.list(A));
  const bad = await readToEnd(client.list(A));

  expect([good.items.length, good.error]).toEqual([2, null]);
  expect([bad.items.length, bad.error?.details]).toEqual([1, "made up"]);
});

it("writes to any Duplex", async () => {
  const client = promises(testStub({ talk: () => new PassThrough({ objectMode: true }) }));

  const { items } = await readToEnd(client.talk([A, A, A]));

  expect(items).toEqual([A, A, A]);
});

it("fails a call whose method throws, and says what it threw", async () => {
  const cause = new TypeError("metadata is not iterable");
  const fail = (): never => {
    throw cause;
  };
  const client = promises(testStub({ one: fail, list: fail }));

  const errors = [await rejection(client.one(A)), (await readToEnd(client.list(A))).error];

  for (const error of errors) {
    expect(error).toMatchObject({ code: grpc.status.INTERNAL, processed: "no", cause });
    expect(error?.details).toContain("metadata is not iterable");
  }
});

it("hears only the first end of a call that is told twice", async () => {
  const statuses: CallStatus[] = [];
  const call = new EventEmitter();
  const client = promises(
    testStub({
      one(...args: unknown[]) {
        setImmediate(() => {
          (args.at(-1) as Callback)(null, A);
          (args.at(-1) as Callback)(new Error("twice"));
          call.emit("status", { code: grpc.status.ABORTED, details: "", metadata: new grpc.Metadata() });
        });
        return call;
      },
    }),
  );

  const outcome = await client.one(A, { onStatus: (status) => void statuses.push(status) }).catch(String);
  await turns(2);

  expect(statuses).toHaveLength(1);
  expect(outcome).toBeDefined();
});
