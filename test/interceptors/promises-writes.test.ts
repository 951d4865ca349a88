import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { readToEnd, rejection, scenes, signalled, standstill, WAYS } from "./promises-scene.js";

const open = scenes();
const A = Buffer.from("a");
const B = Buffer.from("b");
const BIG = Buffer.alloc(64 * 1024);

type Talk = grpc.ServerDuplexStream<Buffer, Buffer>;

const echo = (call: Talk): void => {
  call.on("data", (message: Buffer) => call.write(message));
  call.on("end", () => call.end());
};

describe.each(WAYS)("messages written %s", (way) => {
  it("arrive in the order of their writes, awaited or not", async () => {
    const { client } = await open({ talk: echo }, { way });
    const stream = client.talk();
    const writes = Array.from({ length: 50 }, (_, count) => stream.write(Buffer.of(count)));
    stream.end();

    const { items } = await readToEnd(stream);

    expect(items.map((item) => item[0])).toEqual(Array.from({ length: 50 }, (_, count) => count));
    expect(await Promise.all(writes)).toHaveLength(50);
  });

  it("may be changed once their write has settled", async () => {
    const { client } = await open({ talk: echo }, { way });
    const stream = client.talk();
    const message = Buffer.from("before");

    await stream.write(message);
    message.write("after!");
    stream.end();

    expect((await readToEnd(stream)).items).toEqual([Buffer.from("before")]);
  });

  it("are read and answered while others are written, and answers drain after the half-close", async () => {
    const { client } = await open({ talk: echo }, { way });
    const stream = client.talk();
    await stream.write(A);
    const first = await stream.next();
    await stream.write(B);
    await stream.write(B);
    stream.end();
    stream.end();

    const { items, error } = await readToEnd(stream);

    expect(first.value).toEqual(A);
    expect(items).toEqual([B, B]);
    expect(error).toBeNull();
  });

  it("wait for a server that does not read, and fail when the call is aborted", async () => {
    const cancelled = signalled();
    const controller = new AbortController();
    const { client } = await open(
      { talk: (call) => void call.pause().on("cancelled", () => cancelled.resolve()) },
      { way },
    );
    const stream = client.talk({ signal: controller.signal });
    let settled = 0;
    const writeAll = async (): Promise<void> => {
      for (;;) {
        await stream.write(BIG);
        settled++;
      }
    };
    const writing = rejection(writeAll());
    await standstill(() => settled);

    controller.abort("lunch");
    const error = await writing;
    await cancelled.promise;

    expect(settled).toBeLessThan(50);
    expect(error).toMatchObject({ code: grpc.status.CANCELLED, cause: "lunch" });
    expect(await rejection(stream.next())).toMatchObject({ code: grpc.status.CANCELLED, cause: "lunch" });
  });

  it("fail with the server's status when the server failed, pending or later", async () => {
    const { client } = await open(
      {
        talk(call) {
          call.pause();
          setImmediate(() => call.emit("error", { code: grpc.status.RESOURCE_EXHAUSTED, details: "full" }));
        },
      },
      { way },
    );
    const stream = client.talk();
    const pending = Array.from({ length: 30 }, () => stream.write(BIG));
    const last = pending.at(-1) as Promise<void>;

    const error = await rejection(last);
    const later = await rejection(stream.write(A));

    for (const failure of [error, later]) {
      expect(failure).toMatchObject({ code: grpc.status.RESOURCE_EXHAUSTED, details: "full" });
    }
  });

  it("are refused after the server ended the call well, which is no failure of the call", async () => {
    const { client } = await open({ talk: (call) => call.end() }, { way });
    const stream = client.talk();
    const { error } = await readToEnd(stream);

    const refused = await rejection(stream.write(A));
    stream.end();

    expect(error).toBeNull();
    expect(refused).toMatchObject({ code: grpc.status.CANCELLED, reason: "REMOTE", processed: "yes" });
    expect(refused.details).toContain("before it took this message");
  });

  it("are refused after end(), and the call goes on", async () => {
    const { client } = await open({ talk: echo }, { way });
    const stream = client.talk();
    await stream.write(A);
    stream.end();

    const refused = await rejection(stream.write(B));

    expect(refused).toMatchObject({ reason: "CLIENT_CLOSED", code: grpc.status.CANCELLED });
    expect((await readToEnd(stream)).items).toEqual([A]);
  });
});

it("lets a message be changed as soon as write() returns, when nothing stands before the channel", async () => {
  const { client } = await open(
    { talk: echo },
    { codecs: { requestSerialize: (bytes) => Buffer.from(bytes) } },
  );
  const stream = client.talk();
  const message = Buffer.from("one");

  const writes = ["one", "two", "six"].map((text) => {
    message.write(text);
    return stream.write(message);
  });
  stream.end();

  expect((await readToEnd(stream)).items.map(String)).toEqual(["one", "two", "six"]);
  await Promise.all(writes);
});
