import { status as Status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isReason, ResilienceError } from "../../../src/core/index.js";
import type { Clerk } from "../../../src/raft-peer/index.js";
import { FakeCluster } from "./fake-cluster.js";

let cluster: FakeCluster;
let clerk: Clerk;

beforeEach(() => {
  cluster = new FakeCluster();
  cluster.server(0).lead(1);
  clerk = cluster.clerk({ sessions: 1, timeoutMs: 1_000 });
});

afterEach(async () => {
  await cluster.close();
  expect(cluster.clock.pendingTimers).toBe(0);
});

/** The error of an operation that must fail, and when it came. */
async function failure(
  operation: Promise<unknown>,
  ms = 3_000,
): Promise<{ error: ResilienceError; ms: number }> {
  const before = cluster.clock.now();
  const failed = operation.then(
    () => expect.fail("the operation succeeded"),
    (error: unknown) => ({ error: error as ResilienceError, ms: cluster.clock.now() - before }),
  );
  const [result] = await Promise.all([failed, cluster.advance(ms)]);
  expect(result.error).toBeInstanceOf(ResilienceError);
  return result;
}

function allAre(manner: FakeCluster["servers"][number]["manner"]): void {
  for (const server of cluster.servers) server.manner = manner;
}

describe("at the deadline", () => {
  it("gives up after exactly its time when all servers are down", async () => {
    allAre("refused");

    const { error, ms } = await failure(clerk.put("k", "v"));

    expect(ms).toBe(1_000);
    expect(error).toMatchObject({ reason: "NOT_LEADER", code: Status.DEADLINE_EXCEEDED, processed: "no" });
    expect(error.message).toContain("none of 3 servers was found to lead after 1000 ms and 0 attempts");
  });

  it("gives up after exactly its time when all servers are silent", async () => {
    allAre("silent");

    const { error, ms } = await failure(clerk.get("k"));

    expect(ms).toBe(1_000);
    expect(error).toMatchObject({ reason: "NOT_LEADER", processed: "no", command: undefined });
  });

  it("says of a read that its time was over, with what was tried", async () => {
    cluster.server(0).err = "ErrTimeout";

    const { error } = await failure(clerk.get("k"));

    expect(["DEADLINE_EXCEEDED", "NOT_LEADER"]).toContain(error.reason);
    expect(error.attempts.length).toBeGreaterThan(2);
    expect(error.attempts[0]).toMatchObject({ attempt: 1, endpoint: "10.0.0.1:5001", processed: "maybe" });
    expect(error.message).toContain("ErrTimeout");
  });

  it("keeps the last twenty attempts of a long outage", async () => {
    cluster.server(0).err = "ErrWrongLeader";

    const { error } = await failure(clerk.get("k", { timeoutMs: 30_000 }), 31_000);

    expect(error.attempts).toHaveLength(20);
    expect(error.attempts.at(-1)?.attempt).toBeGreaterThan(20);
  });

  it("says that no session was free", async () => {
    cluster.server(0).losesAnswers = true;
    const first = clerk.append("k", "a", { timeoutMs: 5_000 }).catch(() => {});

    const { error, ms } = await failure(clerk.append("k", "b"));

    expect(ms).toBe(1_000);
    expect(error).toMatchObject({ reason: "DEADLINE_EXCEEDED", processed: "no" });
    expect(error.message).toContain("no session was free");
    await Promise.all([first, cluster.advance(5_000)]);
  });
});

describe("on abort", () => {
  const reason = new Error("changed my mind");

  it("settles at once while it waits for a leader", async () => {
    allAre("refused");
    const controller = new AbortController();
    const put = failure(clerk.put("k", "v", { signal: controller.signal }), 0);
    controller.abort(reason);

    const { error, ms } = await put;

    expect(ms).toBe(0);
    expect(error).toMatchObject({ reason: "CANCELLED", processed: "no", cause: reason });
  });

  it("settles at once while the command is under way, and says that it may have been applied", async () => {
    await Promise.all([clerk.put("k", "v"), cluster.advance(100)]);
    cluster.server(0).manner = "silent";
    const controller = new AbortController();
    const put = failure(clerk.put("k", "w", { signal: controller.signal }), 0);
    controller.abort(reason);

    const { error, ms } = await put;

    expect(ms).toBe(0);
    expect(error).toMatchObject({ reason: "OUTCOME_UNKNOWN", code: Status.CANCELLED, cause: reason });
  });

  it("settles at once while it waits for a session, and the next in line gets the session", async () => {
    await Promise.all([clerk.put("k", "v"), cluster.advance(100)]);
    const controller = new AbortController();
    const first = clerk.append("k", "1");
    const second = failure(clerk.append("k", "2", { signal: controller.signal }), 0);
    const third = clerk.append("k", "3");
    controller.abort();

    expect((await second).error.reason).toBe("CANCELLED");
    await Promise.all([first, third, cluster.advance(100)]);
    expect(cluster.store.get("k")).toBe("v13");
  });

  it("sends nothing for a signal that was aborted before", async () => {
    const { error } = await failure(clerk.put("k", "v", { signal: AbortSignal.abort() }));

    expect(error.reason).toBe("CANCELLED");
    expect(cluster.commands + cluster.statusRequests).toBe(0);
  });

  it("leaves no listener on a signal that lives on", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    const remove = signal.removeEventListener.bind(signal);
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };

    await Promise.all([clerk.put("k", "v", { signal }), clerk.leader({ signal }), cluster.advance(100)]);

    expect(listeners).toBe(0);
  });
});

describe("when it makes no sense to go on", () => {
  it("ends at once on servers without the service", async () => {
    allAre({ rejects: Status.UNIMPLEMENTED, text: "unknown service kvraftpb.KVService" });

    const { error, ms } = await failure(clerk.put("k", "v"));

    expect(ms).toBeLessThan(10);
    expect(error).toMatchObject({
      reason: "REMOTE",
      code: Status.UNIMPLEMENTED,
      origin: "remote",
      processed: "no",
    });
    expect(cluster.statusRequests).toBe(0);
  });

  it("says that the outcome is unknown when a write was under way before the servers began to refuse it", async () => {
    await Promise.all([clerk.put("k", "v"), cluster.advance(100)]);
    cluster.server(0).losesAnswers = true;
    const put = failure(clerk.put("k", "w", { timeoutMs: 5_000 }));
    await cluster.advance(700);
    allAre({ rejects: Status.PERMISSION_DENIED });

    const { error } = await put;

    expect(error).toMatchObject({ reason: "OUTCOME_UNKNOWN", code: Status.PERMISSION_DENIED });
  });

  it("goes on while one server is without the service and another may lead", async () => {
    cluster.server(1).manner = { rejects: Status.UNIMPLEMENTED };
    cluster.server(2).manner = "refused";

    await Promise.all([clerk.put("k", "v"), cluster.advance(100)]);

    expect(cluster.store.get("k")).toBe("v");
  });

  it.each([
    ["an unknown error string", "ErrWrongGroup", /"ErrWrongGroup"/],
    ["an empty error string", "", /answered ""/],
    ["ErrNoKey as the answer to a write", "ErrNoKey", /"ErrNoKey"/],
  ])("fails on %s", async (_, err, message) => {
    cluster.server(0).err = err;

    const { error, ms } = await failure(clerk.put("k", "v"));

    expect(ms).toBeLessThan(10);
    expect(error).toMatchObject({ reason: "REMOTE", code: Status.INTERNAL, processed: "maybe" });
    expect(error.message).toMatch(message);
  });

  it("does not repeat a command that is over the server's message limit", async () => {
    await Promise.all([clerk.put("k", "v"), cluster.advance(100)]);
    const text = "Received message larger than max (5000000 vs 4194304)";
    cluster.server(0).manner = { rejects: Status.RESOURCE_EXHAUSTED, text };

    const { error } = await failure(clerk.put("k", "w"));

    expect(error).toMatchObject({ code: Status.RESOURCE_EXHAUSTED, attempts: [{ details: text }] });
  });

  it("repeats what a busy server refused", async () => {
    await Promise.all([clerk.put("k", "v"), cluster.advance(100)]);
    cluster.server(0).manner = { rejects: Status.RESOURCE_EXHAUSTED, text: "too many requests" };
    const put = clerk.put("k", "w");
    await cluster.advance(200);
    cluster.server(0).manner = "up";

    await Promise.all([put, cluster.advance(500)]);

    expect(cluster.store.get("k")).toBe("w");
  });

  it("lets no more operations wait than allowed", async () => {
    const small = cluster.clerk({ sessions: 1, maxQueuedOperations: 1 });
    const running = [small.put("a", "1"), small.put("b", "2")];

    const { error } = await failure(small.put("c", "3"), 100);

    expect(error).toMatchObject({ reason: "OVERLOADED", code: Status.RESOURCE_EXHAUSTED, processed: "no" });
    await Promise.all(running);
  });
});

describe("bad input", () => {
  it.each([
    [
      "a key that is a number",
      () => clerk.get(7 as never),
      "CONFIG_INVALID",
      /key is a number; allowed: a string/,
    ],
    ["a missing key", () => clerk.get(undefined as never), "CONFIG_INVALID", /key is undefined/],
    ["a value that is an object", () => clerk.put("k", {} as never), "CONFIG_INVALID", /value is an object/],
    ["half a surrogate pair", () => clerk.put("k", "\ud800"), "CONFIG_INVALID", /surrogate/],
    [
      "a key over the limit",
      () => clerk.get("k".repeat(65_537)),
      "MESSAGE_TOO_LARGE",
      /65537 bytes; maxKeyBytes allows 65536/,
    ],
    [
      "a value over the limit",
      () => clerk.put("k", "é".repeat(600_000)),
      "MESSAGE_TOO_LARGE",
      /1200000 bytes; maxValueBytes/,
    ],
    [
      "a timeout of zero",
      () => clerk.get("k", { timeoutMs: 0 }),
      "CONFIG_INVALID",
      /timeoutMs is 0; allowed: 1 or more/,
    ],
    [
      "an unknown option",
      () => clerk.get("k", { timeout: 1 } as never),
      "CONFIG_INVALID",
      /timeout is not a known option/,
    ],
    ["options that are none", () => clerk.get("k", 5 as never), "CONFIG_INVALID", /options is a number/],
    [
      "a signal that is none",
      () => clerk.get("k", { signal: {} as never }),
      "CONFIG_INVALID",
      /signal is an object/,
    ],
    ["bad options of leader()", () => clerk.leader({ timeoutMs: -1 }), "CONFIG_INVALID", /timeoutMs is -1/],
  ] as const)("refuses %s and sends nothing", async (_, operation, reason, message) => {
    const { error, ms } = await failure(operation());

    expect(ms).toBe(0);
    expect(isReason(error, reason)).toBe(true);
    expect(error.message).toMatch(message);
    expect(cluster.commands + cluster.statusRequests).toBe(0);
  });
});

describe("when it is closed", () => {
  it("lets what runs finish, refuses what comes, and closes every link", async () => {
    const put = clerk.put("k", "v");
    const closing = clerk.close();

    const { error } = await failure(clerk.get("k"), 100);

    expect(error.reason).toBe("CLIENT_CLOSED");
    await Promise.all([put, closing]);
    expect(cluster.store.get("k")).toBe("v");
    expect(cluster.linksClosed).toBe(cluster.linksMade);
  });

  it("ends what still runs after the drain", async () => {
    allAre("silent");
    const put = failure(clerk.put("k", "v"), 0);
    const leader = failure(clerk.leader(), 0);
    const closing = clerk.close({ drainMs: 200 });
    await cluster.advance(200);

    expect((await put).error.reason).toBe("CLIENT_CLOSED");
    expect((await leader).error.reason).toBe("CLIENT_CLOSED");
    await Promise.all([closing, cluster.advance(1)]);
    await expect(clerk.status()).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });
    await expect(clerk.leader()).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });
  });

  it("may be closed twice", async () => {
    await Promise.all([clerk.close(), clerk.close()]);
  });
});
