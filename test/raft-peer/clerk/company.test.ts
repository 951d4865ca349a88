/** Operations among others: what one does, meets or is told must not fall on the rest. */
import { AsyncLocalStorage } from "node:async_hooks";
import { status as Status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ResilienceError } from "../../../src/core/index.js";
import type { KvClerk } from "../../../src/raft-peer/clerk/kv-clerk.js";
import type { Clerk, ClerkEvent } from "../../../src/raft-peer/index.js";
import { FakeCluster } from "./fake-cluster.js";

let cluster: FakeCluster;
let clerk: Clerk;

beforeEach(async () => {
  cluster = new FakeCluster();
  cluster.server(0).lead(1);
  clerk = cluster.clerk({ sessions: 1, timeoutMs: 1_000 });
  await cluster.run(clerk.put("k", "v"), 100);
});

afterEach(async () => {
  await cluster.close();
  expect(cluster.clock.pendingTimers).toBe(0);
});

function failed(operation: Promise<unknown>): Promise<ResilienceError> {
  return operation.then(
    () => expect.fail("the operation succeeded"),
    (error: ResilienceError) => error,
  );
}

/** Answers to commands for this key in another way than the others. */
function answering(key: string, answer: () => { err: string; value: string }): { count: number } {
  const server = cluster.server(0);
  const usual = server.command.bind(server);
  const seen = { count: 0 };
  server.command = (request) => {
    if (request.key !== key) return usual(request);
    seen.count += 1;
    return answer();
  };
  return seen;
}

/** One reader that goes on until told to stop. */
function reader(): { reads: number; stop(): Promise<void> } {
  let isStopped = false;
  const state = { reads: 0, stop: async () => {} };
  const running = (async () => {
    while (!isStopped) {
      await clerk.get("k");
      state.reads += 1;
    }
  })();
  state.stop = async () => {
    isStopped = true;
    await Promise.all([running, cluster.advance(100)]);
  };
  return state;
}

describe("a listener that ends an operation", () => {
  it.each<ClerkEvent["type"]>(["operation.retry", "leader.lost"])(
    "in the middle of %s ends it for good: what was told not to have run never does",
    async (type) => {
      cluster.server(0).follow(1);
      const controller = new AbortController();
      clerk.onEvent((event) => {
        if (event.type === type) controller.abort();
      });
      const append = failed(clerk.append("k", "w", { signal: controller.signal }));
      await cluster.advance(10);
      expect(await append).toMatchObject({ reason: "CANCELLED", processed: "no" });

      for (const id of [0, 2]) cluster.server(id).follow(2);
      cluster.server(1).lead(2);
      await cluster.advance(500);

      expect(cluster.store.get("k")).toBe("v");
      expect(clerk.stats().operations.inFlight).toBe(0);
    },
  );
});

describe("many writes that end together", () => {
  it("send nothing after a signal that they share, but for the one that was under way", async () => {
    const before = cluster.commands;
    const controller = new AbortController();
    const appends = [0, 1, 2, 3, 4].map((n) => failed(clerk.append("k", `${n}`, controller)));
    controller.abort();
    await cluster.advance(100);

    const errors = await Promise.all(appends);

    expect(cluster.commands - before).toBeLessThanOrEqual(1);
    expect(errors.slice(1).map(({ reason, processed }) => [reason, processed])).toEqual(
      Array.from({ length: 4 }, () => ["CANCELLED", "no"]),
    );
  });

  it.each(["close", "destroy"] as const)("send nothing more on %s", async (way) => {
    const before = cluster.commands;
    const appends = [0, 1, 2, 3, 4].map((n) => failed(clerk.append("k", `${n}`)));
    if (way === "destroy") (clerk as KvClerk).destroy();
    else void clerk.close({ drainMs: 0 });
    await cluster.advance(100);

    const errors = await Promise.all(appends);

    expect(cluster.commands - before).toBeLessThanOrEqual(1);
    expect(errors.slice(1).every(({ reason }) => reason === "CLIENT_CLOSED")).toBe(true);
  });

  it("give up in thousands without one calling the next", async () => {
    for (const server of cluster.servers) server.manner = "refused";
    const puts = Array.from({ length: 10_000 }, () => failed(clerk.put("k", "w")));

    await cluster.advance(1_100);

    expect(new Set((await Promise.all(puts)).map(({ processed }) => processed))).toEqual(new Set(["no"]));
  });

  it("end at once on servers that lack the service, those in the queue too", async () => {
    for (const server of cluster.servers) server.manner = { rejects: Status.UNIMPLEMENTED };
    const puts = Array.from({ length: 100 }, () => failed(clerk.put("k", "w")));

    await cluster.advance(50);

    expect(new Set((await Promise.all(puts)).map(({ code }) => code))).toEqual(
      new Set([Status.UNIMPLEMENTED]),
    );
  });
});

describe("one operation's trouble", () => {
  it("does not take the leader from the others, nor flood it, when the server fails that one again and again", async () => {
    const poison = answering("poison", () => ({ err: "ErrTimeout", value: "" }));
    const healthy = reader();
    await cluster.advance(900);
    const alone = healthy.reads;
    const asked = cluster.statusRequests;

    const put = failed(clerk.put("poison", "x"));
    await cluster.advance(900);

    expect(healthy.reads - alone).toBeGreaterThan(0.95 * alone);
    expect(poison.count).toBeLessThan(10);
    expect(cluster.statusRequests - asked).toBe(0);
    await cluster.advance(200);
    expect((await put).reason).toBe("OUTCOME_UNKNOWN");
    await healthy.stop();
  });

  it("has the leader looked for at the usual pace when it is slow beside fast ones", async () => {
    const server = cluster.server(0);
    Object.defineProperty(server, "losesAnswers", { get: () => server.commands.at(-1)?.key === "slow" });
    const healthy = reader();
    const slow = failed(clerk.get("slow", { timeoutMs: 700 }));
    const asked = cluster.statusRequests;

    await cluster.advance(700);

    expect(cluster.statusRequests - asked).toBeLessThan(15);
    await healthy.stop();
    await cluster.advance(500);
    expect((await slow).reason).toMatch(/DEADLINE_EXCEEDED|NOT_LEADER/);
  });

  it("does not make a leader that refuses some commands a target of repeats", async () => {
    let count = 0;
    const busy = answering("k", () =>
      ++count % 2 === 0 ? { err: "ErrTimeout", value: "" } : { err: "OK", value: "v" },
    );
    const many = [reader(), reader(), reader(), reader()];

    await cluster.advance(1_000);

    expect(busy.count).toBeLessThan(200);
    for (const each of many) await each.stop();
  });

  it("with a short deadline of its own costs the others nothing", async () => {
    const events: string[] = [];
    clerk.onEvent(({ type }) => events.push(type));
    const healthy = reader();
    await cluster.advance(1);

    for (let round = 0; round < 10; round++) {
      const short = failed(clerk.get("k", { timeoutMs: 1 }));
      await cluster.advance(10);
      expect(await short).toMatchObject({ reason: "DEADLINE_EXCEEDED" });
    }

    expect(events).toEqual([]);
    await healthy.stop();
  });
});

describe("a server that leads no more, whatever it says", () => {
  it.each([
    ["refuses everything", { rejects: Status.PERMISSION_DENIED }],
    ["has become another service", { rejects: Status.UNIMPLEMENTED }],
  ])("is left after one failure when it %s", async (_, manner) => {
    cluster.server(0).manner = manner;
    cluster.server(1).lead(2);
    cluster.server(2).follow(2);

    const first = failed(clerk.put("k", "w"));
    await cluster.advance(100);

    expect((await first).reason).toBe("REMOTE");
    await cluster.run(clerk.put("k", "x"));
    expect(cluster.store.get("k")).toBe("x");
  });

  it("is not believed when it belongs to another cluster", async () => {
    for (const id of [0, 1]) cluster.server(id).follow(5);
    cluster.server(0).lead(5);
    cluster.server(2).lead(1_000);
    const fresh = cluster.clerk();

    await cluster.run(fresh.put("k", "w"));

    expect(fresh.stats().leader).toEqual({ term: 5, address: cluster.server(0).address });
    expect(cluster.server(2).commands).toEqual([]);
  });
});

it("finds the leader of servers that are further away than the probe's timeout", async () => {
  const far = new FakeCluster(3, 80);
  far.server(1).lead(1);
  const patient = far.clerk();

  await far.run(patient.put("k", "v"), 2_000);

  expect(far.store.get("k")).toBe("v");
  await far.close();
});

it("says of every server why nobody leads", async () => {
  cluster.server(0).manner = "refused";
  cluster.server(1).manner = "silent";
  cluster.server(2).follow(7);
  const put = failed(clerk.put("k", "w"));
  await cluster.advance(2_000);

  expect((await put).message).toMatch(
    /10\.0\.0\.1:5001: connection refused; .*10\.0\.0\.3:5001 is Follower in term 7|10\.0\.0\.3:5001 is Follower in term 7.*10\.0\.0\.1:5001: connection refused/,
  );
});

it("sends every command in the async context of its caller", async () => {
  const context = new AsyncLocalStorage<string>();
  const server = cluster.server(0);
  const seen: string[] = [];
  cluster.onCall = (path, key) => {
    if (path.endsWith("/Command")) seen.push(`${key} for ${context.getStore()}`);
  };

  const puts = ["a", "b", "c"].map((user) => context.run(user, () => clerk.put(user, "x")));
  await cluster.advance(1);
  server.follow(2);
  cluster.server(1).lead(2);
  cluster.server(2).follow(2);
  await cluster.run(Promise.all(puts));

  expect(new Set(seen)).toEqual(new Set(["a for a", "b for b", "c for c"]));
});

it.each([-1n, 2n ** 63n, 7 as never])("refuses ids that the wire cannot carry: %s", (id) => {
  expect(() => cluster.clerk({}, () => id)).toThrow(
    /newClientId gave .*; allowed: a bigint from 0 to 2\^63-1/,
  );
});
