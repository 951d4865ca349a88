import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drive } from "../../bench/measure/drive.js";
import {
  type Client,
  type FakePlace,
  type SocketPlace,
  STACKS,
  STREAM_KINDS,
} from "../../bench/stacks/index.js";
import { FakeChannel } from "../../bench/transport/fake-channel.js";
import { ServerProcesses } from "../../bench/transport/server-processes.js";
import { ClientSockets } from "../support/client-sockets.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

const SERVERS = 3;
const MESSAGES = 50;
const CALLS = { calls: 100, inFlight: 10, defer: setImmediate };
const STREAMS = { calls: 6, inFlight: 3, defer: setImmediate };
const FAKE: FakePlace = { kind: "fake", makeChannel: (target) => new FakeChannel(target) };

const servers = new ServerProcesses();
let sockets: SocketPlace;

beforeAll(async () => {
  const started = await servers.start("echo-server.mjs", SERVERS, String(MESSAGES));
  const addresses = started.map(({ address }) => address);
  sockets = { kind: "sockets", addresses, messagesPerStream: MESSAGES };
});

afterAll(() => servers.stop());

const inPlaces = STACKS.flatMap((stack) => stack.places.map((place) => [stack.name, place, stack] as const));

/** What every client has to leave: no socket, not even one that keeps no process alive. */
async function expectGone(leaks: LeakBaseline, dialled: ClientSockets): Promise<void> {
  await expect.poll(() => dialled.open.length, { timeout: 5_000 }).toBe(0);
  dialled.close();
  await leaks.expectClean();
}

describe.each(inPlaces)("%s over %s", (_name, kind, stack) => {
  it("makes 100 calls, over one connection per server, and leaves nothing behind", async () => {
    const leaks = await leakBaseline();
    const dialled = new ClientSockets();
    const client = stack.open(kind === "fake" ? FAKE : sockets);

    await drive(client.unary, CALLS);
    expect(dialled.all).toHaveLength(kind === "fake" ? 0 : SERVERS);
    await client.close();

    await expectGone(leaks, dialled);
  });
});

describe.each(STACKS.filter(({ hasStreams }) => hasStreams).map((stack) => [stack.name, stack] as const))(
  "%s",
  (_name, stack) => {
    it("makes streams of every kind, counts their messages and leaves nothing behind", async () => {
      const leaks = await leakBaseline();
      const dialled = new ClientSockets();
      const client = stack.open(sockets);

      for (const kind of STREAM_KINDS) await drive(streamsOf(client)[kind], STREAMS);
      await client.close();

      await expectGone(leaks, dialled);
    });

    it("fails a stream that brings another number of messages than was measured", async () => {
      const client = stack.open({ ...sockets, messagesPerStream: MESSAGES + 1 });
      const { serverStreaming, clientStreaming } = streamsOf(client);

      await expect(drive(serverStreaming, STREAMS)).rejects.toThrow("50 of 51 messages arrived");
      await expect(drive(clientStreaming, STREAMS)).rejects.toThrow("51 of 50 messages arrived");
      await client.close();
    });
  },
);

function streamsOf({ streams }: Client) {
  if (streams === undefined) throw new Error("a stack that promises streams has none over sockets");
  return streams;
}

it("knows every stack by a name of its own, bare first", () => {
  const names = STACKS.map(({ name }) => name);

  expect(new Set(names).size).toBe(names.length);
  expect(names[0]).toBe("bare");
});
