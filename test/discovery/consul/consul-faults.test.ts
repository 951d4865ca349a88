import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ConsulFault, NO_LEADER } from "../../support/fake-consul-faults.js";
import { leakBaseline } from "../../support/leak-check.js";
import { fakeConsul, startedConsul, watchingConsul } from "./started-consul.js";

function status(code: number, text = "", headers: Record<string, string> = {}): ConsulFault {
  return { kind: "status", status: code, text, headers };
}

const LATE_MS = 5_000;

/** Faults, what is said of them after the place, and how long the resolver has to wait to know. */
const FAULTS: readonly (readonly [string, ConsulFault, string, number])[] = [
  ["no leader", NO_LEADER, "answered 500: No cluster leader", 0],
  ["a 400", status(400, "Invalid index"), "answered 400: Invalid index", 0],
  [
    "a wrong token",
    status(403, "ACL not found"),
    "answered 403: ACL not found; a token is needed that may read the service and its nodes",
    0,
  ],
  ["a 404", status(404, "no such page\n"), "answered 404: no such page; its API is not there", 0],
  ["a limit", status(429, "slow down"), "answered 429: slow down", 0],
  ["an error without a text", status(502), "answered 502", 0],
  ["a redirect", status(302), "answered 302", 0],
  ["half a body", { kind: "halfBody" }, "closed the connection before its answer was whole", 0],
  ["no JSON", { kind: "body", body: "<html>" }, "answered 200 with a body that is no JSON", 0],
  ["an empty body", { kind: "body", body: "" }, "with nothing; allowed: an array", 0],
  ["another kind of JSON", { kind: "body", body: "{}" }, "with an object; allowed: an array", 0],
  ["a page", { kind: "body", body: "hi", type: "text/html" }, "with a string; allowed: an array", 0],
  [
    "no endpoint that is any use",
    { kind: "body", body: "[{}]" },
    "without a usable endpoint: entry 0 has no Service",
    0,
  ],
  [
    "no leader behind a good answer",
    { kind: "headers", headers: { "x-consul-knownleader": "false" } },
    "knows no leader, so its answer may be old",
    0,
  ],
  ["a reset", { kind: "reset" }, "failed: ", 0],
  ["silence", { kind: "silence" }, "Consul gave no whole answer within 5000 ms", LATE_MS],
  ["a slow drip", { kind: "slowDrip" }, "Consul gave no whole answer within 5000 ms", LATE_MS],
];

/** A resolver whose first question meets a fault, once that has been told. */
async function failFirst(fault: ConsulFault, waitMs: number) {
  const all = await fakeConsul();
  all.fake.failNext(fault);
  all.resolver.start(all.listener);
  await all.fake.asked(1);
  await all.clock.advance(waitMs);
  await all.listener.heard(1);
  return all;
}

describe("ConsulResolver: a Consul in trouble (G27)", () => {
  it.each(FAULTS)(
    "says what is wrong at %s, comes back, and leaves no socket",
    async (_what, fault, said, waitMs) => {
      const { clock, fake, listener } = await failFirst(fault, waitMs);
      await fake.deserted();

      await clock.advance(1_000);
      await listener.heard(2);

      expect(listener.messages).toHaveLength(1);
      expect(listener.messages[0]).toContain(said);
      expect(listener.addresses).toEqual([["10.0.0.1:80"]]);
    },
  );

  it("names the place in its errors", async () => {
    const { fake, listener } = await failFirst(NO_LEADER, 0);

    expect(listener.messages).toEqual([
      `Consul at http://127.0.0.1:${fake.port} answered 500: No cluster leader`,
    ]);
  });

  it("notices a Consul that freezes while it holds a question, after the wait, a sixteenth and the time for an answer", async () => {
    const { clock, fake, listener } = await startedConsul();
    fake.failNext({ kind: "silence" });

    await clock.advance(1_000);
    await fake.asked(2);
    await clock.advance(60_000 + 3_750 + LATE_MS - 1);
    const early = listener.errors.length;
    await clock.advance(1);
    await listener.heard(2);

    expect(early).toBe(0);
    expect(listener.messages).toEqual(["Consul gave no whole answer within 68750 ms"]);
  });

  it("watches again after a question that Consul refused with 400, where the package would stop", async () => {
    const { clock, fake, listener, resolver } = await startedConsul();
    fake.failNext(status(400, "Invalid index"));

    await clock.advance(1_000);
    await listener.heard(2);
    await clock.advance(1_000);
    await listener.heard(3);
    await clock.advance(1_000);
    await fake.holding();

    expect(resolver.isWatching).toBe(true);
  });

  it("finds the new state of a Consul that has lost its own, although the index went back", async () => {
    const { clock, fake, listener } = await watchingConsul();

    fake.failAlways({ kind: "reset" });
    fake.dropConnections();
    await listener.heard(2);
    fake.registry.forget();
    fake.failAlways(null);
    await clock.advance(1_000);
    await listener.heard(3);

    expect(listener.addresses).toEqual([["10.0.0.1:80"], []]);
    expect(fake.requests.at(-1)?.query.get("index")).toBeNull();
  });

  it.each(["0", "-1", "abc", "", null, "3"])("begins anew when the index is %j", async (index) => {
    const { clock, fake, listener } = await startedConsul();
    fake.failNext({ kind: "index", index });

    await clock.advance(1_000);
    await listener.heard(2);
    await clock.advance(1_000);
    await listener.heard(3);

    expect(fake.requests.map(({ query }) => query.get("index"))).toEqual([null, "11", null]);
    expect(listener.errors).toEqual([]);
  });

  it("believes a server without a leader in stale mode, which asks for just that", async () => {
    const headers = { "x-consul-knownleader": "false" };

    const { listener } = await startedConsul({ query: "?consistency=stale" }, (fake) =>
      fake.failNext({ kind: "headers", headers }),
    );

    expect(listener.addresses).toEqual([["10.0.0.1:80"]]);
  });

  it("takes an empty answer for a failure when Consul left out what the token may not read", async () => {
    const headers = { "x-consul-results-filtered-by-acls": "true" };

    const { listener } = await startedConsul({}, (fake) => {
      fake.set("web", []);
      fake.failNext({ kind: "headers", headers });
    });

    expect(listener.messages[0]).toContain("left out what the token may not read");
  });

  it("tells of entries that are no use, and counts as answering all the while", async () => {
    const { clock, fake, listener } = await startedConsul({}, (consul) =>
      consul.set("web", [
        { id: "w1", address: "10.0.0.1", port: 80 },
        { id: "w2", address: "10.0.0.2" },
      ]),
    );

    await clock.advance(1_000);
    await fake.holding();
    await clock.advance(60_000);
    await fake.asked(3);

    expect(listener.messages).toEqual([]);
    expect(listener.addresses).toEqual([["10.0.0.1:80"], ["10.0.0.1:80"]]);
    const problem = 'entry 1 ("w2") has the port 0; allowed are 1 to 65535';
    expect(listener.problems).toEqual([problem, problem]);
  });

  it("stays away as long as a limit asks, in seconds or until a date", async () => {
    const { clock, fake, listener, resolver } = await fakeConsul();
    const date = new Date(clock.epoch() + 40_000).toUTCString();
    fake.failNext(status(429, "", { "retry-after": "20" }), status(503, "", { "retry-after": date }));

    resolver.start(listener);
    await listener.heard(1);
    await clock.advance(19_999);
    const early = fake.requests.length;
    await clock.advance(1);
    await listener.heard(2);
    await clock.advance(20_000);
    await listener.heard(3);

    expect(early).toBe(1);
    expect(fake.requests).toHaveLength(3);
  });

  it("reads the token again for each question, so that a new one is used after a 403", async () => {
    const env: Record<string, string> = { CONSUL_HTTP_TOKEN: "old" };
    const { clock, fake, listener } = await startedConsul({ env }, (consul) => {
      consul.token = "new";
    });

    env["CONSUL_HTTP_TOKEN"] = "new";
    await clock.advance(1_000);
    await listener.heard(2);

    expect(fake.requests.map(({ token }) => token)).toEqual(["old", "new"]);
    expect([listener.errors.length, listener.sets.length]).toEqual([1, 1]);
  });
});

describe("ConsulResolver: at most one question per second", () => {
  it.each([
    ["no leader", NO_LEADER],
    ["answers at once", { kind: "immediate" }],
    ["an index that goes backwards", { kind: "index", index: "1" }],
    ["no index", { kind: "index", index: null }],
    ["resets", { kind: "reset" }],
    ["half bodies", { kind: "halfBody" }],
  ] as const)("to a Consul with %s, however often a refresh is asked for", async (_what, fault) => {
    const { clock, fake, listener, resolver } = await startedConsul({}, (consul) => consul.failAlways(fault));

    for (let step = 0; step < 120; step++) {
      resolver.refresh();
      await clock.advance(500);
      await listener.heard(fake.requests.length);
    }

    const gaps = fake.requests.slice(1).map(({ atMs }, i) => atMs - (fake.requests[i]?.atMs ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1_000);
    expect(fake.requests.length).toBeLessThanOrEqual(61);
    expect(fake.requests.length).toBeGreaterThan(4);
  });

  it("to a busy Consul whose index moves all the time", async () => {
    const { clock, fake, listener } = await watchingConsul();

    for (let step = 0; step < 60; step++) {
      for (let change = 0; change < 10; change++) fake.registry.touch();
      await listener.heard(fake.requests.length);
      await clock.advance(1_000);
      await fake.asked(3 + step);
    }

    expect(fake.requests).toHaveLength(62);
  });
});

describe("ConsulResolver: whatever comes", () => {
  it("throws nothing, says something, and leaves no socket, for any body", async () => {
    const baseline = await leakBaseline();
    const { clock, fake, listener, resolver } = await startedConsul();
    const bodies = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => json.slice(0, -1)),
    );

    await fc.assert(
      fc.asyncProperty(bodies, async (body) => {
        const before = listener.events;
        fake.failAlways({ kind: "body", body });
        await clock.advance(60_000);
        await listener.heard(before + 1);
      }),
      { numRuns: 60, endOnFailure: true },
    );

    resolver.close();
    await fake.stop();
    await baseline.expectClean();
  });

  it("takes an answer of 10 MB with ten thousand instances", async () => {
    const meta = { text: "x".repeat(800) };
    const instances = Array.from({ length: 10_000 }, (_, i) => ({
      id: `w${i}`,
      address: `10.1.${i >> 8}.${i & 255}`,
      port: 80,
      meta,
    }));

    const { listener } = await startedConsul({}, (fake) => fake.set("web", instances));

    expect(listener.newest).toHaveLength(10_000);
  });
});
