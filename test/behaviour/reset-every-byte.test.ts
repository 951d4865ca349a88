import { createChannel, type FailureReport, stubFor } from "holdfast";
import { afterEach, beforeEach, expect, it } from "vitest";
import { CounterClient, CountingServer, unary } from "../support/counting-server.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

let baseline: LeakBaseline;
let faulty: CountingServer;
let spare: CountingServer;
let proxy: FaultProxy;
/** How often each call, named by its text, was executed on either server. */
let executions: Map<string, number>;

beforeEach(async () => {
  baseline = await leakBaseline();
  executions = new Map();
  [faulty, spare] = [await CountingServer.start(), await CountingServer.start()];
  for (const server of [faulty, spare]) {
    server.unary = (call, callback) => {
      const text = String(call.request);
      executions.set(text, (executions.get(text) ?? 0) + 1);
      callback(null, call.request);
    };
  }
  proxy = await FaultProxy.start(faulty.port);
});

afterEach(async () => {
  await proxy.close();
  await faulty.close();
  await spare.close();
  await baseline.expectClean();
});

interface Verdict {
  readonly text: string;
  readonly processed: "ok" | FailureReport["processed"];
  readonly executed: number;
  readonly attempts: FailureReport["attempts"];
}

/** One call over a fresh channel: the first endpoint is behind the faulty proxy, the second one is well. */
async function callOnce(text: string, options: { idempotent: boolean }): Promise<Verdict> {
  const channel = createChannel(`static:///${proxy.address},${spare.address}`, {
    insecure: true,
    loadBalancing: "pick_first",
    methods: { "holdfast.test.Counter": { idempotent: options.idempotent } },
    retry: { backoff: { kind: "immediate" }, throttle: false },
  });
  const client = stubFor(CounterClient, channel);
  const result = await unary(client, text);
  await channel.close();
  const failure = result.ok ? null : (result.error as unknown as FailureReport);
  return {
    text,
    processed: failure?.processed ?? "ok",
    executed: executions.get(text) ?? 0,
    attempts: failure?.attempts ?? [],
  };
}

/** Bytes that one call on a fresh connection sends in each direction. */
async function bytesOfOneCall(): Promise<{ client: number; server: number }> {
  await proxy.pass();
  await callOnce("measure", { idempotent: false });
  return { client: proxy.bytesFromClient, server: proxy.bytesFromServer };
}

async function cutAfterEveryByte(direction: "client" | "server", idempotent: boolean): Promise<Verdict[]> {
  const bytes = (await bytesOfOneCall())[direction];
  const verdicts: Verdict[] = [];
  for (let count = 0; count <= bytes; count++) {
    if (direction === "client") await proxy.resetAfterClientBytes(count);
    else await proxy.resetAfterServerBytes(count);
    verdicts.push(await callOnce(`${direction}-${count}`, { idempotent }));
  }
  return verdicts;
}

function tally(verdicts: readonly Verdict[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { processed, executed } of verdicts) {
    const key = `${processed}, executed ${executed}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

for (const direction of ["client", "server"] as const) {
  it(`never runs an unsafe call twice, wherever a reset cuts the bytes of the ${direction}`, async () => {
    const verdicts = await cutAfterEveryByte(direction, false);

    console.info(`reset after every byte of the ${direction}, not idempotent:`, tally(verdicts));
    expect(verdicts.length).toBeGreaterThan(100);
    expect(verdicts.filter(({ executed }) => executed > 1)).toEqual([]);
    expect(verdicts.filter(({ processed, executed }) => processed === "ok" && executed !== 1)).toEqual([]);
    expect(verdicts.filter(({ processed, executed }) => processed === "no" && executed > 0)).toEqual([]);
    expect(verdicts.filter(({ processed, executed }) => processed === "yes" && executed === 0)).toEqual([]);
    // Both ends of the story must occur, or the proxy did not cut where it matters.
    expect(verdicts.some(({ processed }) => processed === "ok")).toBe(true);
    expect(verdicts.some(({ processed }) => processed === "maybe")).toBe(true);
  }, 60_000);

  it(`loses no idempotent call, wherever a reset cuts the bytes of the ${direction}`, async () => {
    const verdicts = await cutAfterEveryByte(direction, true);

    console.info(`reset after every byte of the ${direction}, idempotent:`, tally(verdicts));
    expect(verdicts.filter(({ processed }) => processed !== "ok")).toEqual([]);
    expect(verdicts.every(({ executed }) => executed >= 1 && executed <= 2)).toBe(true);
  }, 60_000);
}
