import { expect, it } from "vitest";
import { PlainClerk } from "../../bench/clerk/plain-clerk.js";
import type { CommandRequest } from "../../src/gen/kvraftpb/kvraft.js";
import { ManualClock } from "../support/manual-clock.js";

/** Answers in this order; null is a gRPC error. */
function scripted(answers: readonly (string | null)[]) {
  const clock = new ManualClock();
  const sent: { at: number; server: number; request: CommandRequest; timeoutMs: number }[] = [];
  const client = new PlainClerk({
    servers: 3,
    clientId: 7n,
    clock,
    send: (server, request, timeoutMs, done) => {
      const err = answers[sent.length];
      sent.push({ at: clock.now(), server, request, timeoutMs });
      if (err !== undefined) done(err === null ? null : { err, value: "v" });
    },
  });
  return { clock, client, sent };
}

it("goes to the next server after 10 ms, as eraft's client does, and repeats with the same ids", async () => {
  const { clock, client, sent } = scripted([null, "ErrWrongLeader", "ErrTimeout", "OK"]);
  const start = clock.now();
  const put = client.put("k", "v");
  await clock.advance(100);

  expect(await put).toBe("v");
  expect(sent.map(({ at }) => at - start)).toEqual([0, 10, 20, 30]);
  expect(sent.map(({ server }) => server)).toEqual([0, 1, 2, 0]);
  expect(
    new Set(sent.map(({ request, timeoutMs }) => `${request.clientId}/${request.commandId} ${timeoutMs}`)),
  ).toEqual(new Set(["7/0 500"]));
});

it("stays with the server that answered, under a new command id", async () => {
  const { clock, client, sent } = scripted([null, "OK", "ErrNoKey"]);
  const put = client.put("k", "v");
  await clock.advance(10);
  await put;

  await client.get("k");

  expect(sent.slice(1).map(({ server, request }) => [server, request.commandId])).toEqual([
    [1, 0n],
    [1, 1n],
  ]);
});

it("ends a command that would go on for ever once it is closed", async () => {
  const { clock, client } = scripted(Array.from({ length: 100 }, () => null));
  const put = client.put("k", "v");
  const ended = expect(put).rejects.toThrow("closed");
  await clock.advance(50);

  client.close();
  await clock.advance(10);

  await ended;
  expect(clock.pendingTimers).toBe(0);
});
