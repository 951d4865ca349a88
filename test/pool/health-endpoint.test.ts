import { CallCredentials, Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { HealthBench, NOT_SERVING, SERVING, WATCH } from "./health-bench.js";

describe("the health of an endpoint", () => {
  it("is asked for by a Watch of the service as soon as a connection is up, and unknown until it answers (R81)", async () => {
    const bench = await new HealthBench({ serviceName: "kv" }).up();

    expect(bench.connection.current).toMatchObject({ method: WATCH, sentTexts: ["\n\x02kv"] });
    expect(bench.health).toMatchObject({ status: "unknown", detail: null });

    bench.connection.current.message(SERVING);
    await settle();

    expect(bench.health).toMatchObject({ status: "serving", detail: null });
    expect(bench.changes).toEqual(["serving"]);
  });

  it("is that of the whole server for an empty service name (R80)", async () => {
    const bench = await new HealthBench({ serviceName: "" }).up();

    expect(bench.connection.current.sentTexts).toEqual([""]);
  });

  it.each([
    ["NOT_SERVING", NOT_SERVING, "NOT_SERVING"],
    ["UNKNOWN", "", "UNKNOWN"],
    ["SERVICE_UNKNOWN", "\x08\x03", "SERVICE_UNKNOWN"],
    ["a status without a name", "\x08\x07", "the serving status 7, which has no name"],
    ["bytes of something else", "\x08", "the answer is no HealthCheckResponse"],
  ])(
    "is not serving at %s, and serving again when the server says so (R82)",
    async (_what, message, detail) => {
      const bench = await new HealthBench().up();

      for (const text of [message, SERVING]) bench.connection.current.message(text);
      await settle();

      expect(bench.changes).toEqual([`not-serving: ${detail}`, "serving"]);
      expect(bench.connection.calls).toHaveLength(1);
    },
  );

  it("is told when it changes, not when it is said again", async () => {
    const bench = await new HealthBench().up();

    for (const text of [SERVING, SERVING, NOT_SERVING, NOT_SERVING]) bench.connection.current.message(text);
    await settle();

    expect(bench.changes).toEqual(["serving", "not-serving: NOT_SERVING"]);
  });

  it("is not serving while the Watch is down, and unknown from its next start to its first message (R84)", async () => {
    const bench = await new HealthBench().up();
    bench.connection.current.message(SERVING);
    await settle();

    bench.connection.current.failAfterHeaders(status.UNAVAILABLE, "going down");
    await settle();
    expect(bench.health.status).toBe("not-serving");
    await bench.clock.advance(0);
    expect(bench.health.status).toBe("unknown");
    bench.connection.current.message(SERVING);
    await settle();

    expect(bench.changes).toEqual([
      "serving",
      "not-serving: the Watch ended with UNAVAILABLE: going down",
      "unknown",
      "serving",
    ]);
  });

  it("needs no timer while the Watch lives", async () => {
    const bench = await new HealthBench().up();
    bench.connection.current.message(SERVING);

    await bench.pass(60_000);

    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.connection.calls).toHaveLength(1);
  });

  it("does not carry its state over to the connection after the last one (R85)", async () => {
    const bench = await new HealthBench().up();
    bench.connection.current.message(SERVING);
    await settle();

    bench.health.remove(bench.connection);
    expect(bench.connection.current.cancelledWith?.code).toBe(status.CANCELLED);
    expect(bench.health.status).toBe("unknown");
    const next = await bench.further();

    expect(next.methods).toEqual(["Watch"]);
    expect(bench.health.status).toBe("unknown");
    expect(bench.changes).toEqual(["serving", "unknown"]);
  });

  it("ends without a trace when it is closed, and takes no more connections", async () => {
    const bench = await new HealthBench().up();
    bench.connection.current.message(SERVING);
    await settle();

    bench.health.close();
    const late = await bench.further();
    await bench.pass(30_000);

    expect(bench.connection.running).toBe(0);
    expect(late.calls).toEqual([]);
    expect(bench.changes).toEqual(["serving"]);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

describe("several connections of an endpoint", () => {
  it("share one Watch, over the oldest", async () => {
    const bench = await new HealthBench().up();
    const others = [await bench.further(), await bench.further()];
    bench.health.add(bench.connection);

    expect(bench.connection.methods).toEqual(["Watch"]);
    expect(others.map(({ calls }) => calls.length)).toEqual([0, 0]);
  });

  it("hand the Watch on when its connection goes, and what was said holds meanwhile (R85)", async () => {
    const bench = await new HealthBench().up();
    const [second, third] = [await bench.further(), await bench.further()];
    bench.connection.current.message(SERVING);
    await settle();

    bench.connection.lose();
    await settle();
    bench.health.remove(bench.connection);

    expect(second.methods).toEqual(["Watch"]);
    expect(third.methods).toEqual([]);
    expect(bench.changes).toEqual(["serving"]);
    second.current.message(NOT_SERVING);
    await settle();
    expect(bench.health.status).toBe("not-serving");
  });

  it("forget that a Watch was down on the one that goes: it says nothing of the others", async () => {
    const bench = await new HealthBench().up();
    const second = await bench.further();
    bench.connection.current.fail(status.INTERNAL);
    await settle();

    bench.health.remove(bench.connection);

    expect(bench.health.status).toBe("unknown");
    expect(second.methods).toEqual(["Watch"]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("keep the Watch where it is when another of them goes", async () => {
    const bench = await new HealthBench().up();
    const second = await bench.further();

    bench.health.remove(second);
    bench.health.remove(second);

    expect(bench.connection.running).toBe(1);
  });

  it("pass over one that is lost, but not removed yet", async () => {
    const bench = await new HealthBench().up();
    const [second, third] = [await bench.further(), await bench.further()];
    second.isLost = true;

    bench.health.remove(bench.connection);

    expect(second.calls).toEqual([]);
    expect(third.methods).toEqual(["Watch"]);
  });

  it("each ask anew whether the server has a health service (R83)", async () => {
    const bench = await new HealthBench().up();
    bench.connection.current.fail(status.UNIMPLEMENTED);
    await settle();
    bench.connection.current.fail(status.UNIMPLEMENTED);
    await settle();
    const second = await bench.further();

    bench.health.remove(bench.connection);

    expect(second.methods).toEqual(["Watch"]);
    expect(bench.health.status).toBe("serving");
  });
});

describe("whoever hears of a change", () => {
  it("may close the health at once", async () => {
    const bench = await new HealthBench().up();
    bench.onChanged = () => bench.health.close();

    bench.connection.current.message(SERVING);
    await settle();

    expect(bench.changes).toEqual(["serving"]);
    expect(bench.connection.running).toBe(0);
  });

  it("may remove the connection that takes over", async () => {
    const bench = await new HealthBench().up();
    const second = await bench.further();
    bench.connection.current.fail(status.INTERNAL);
    await settle();
    bench.onChanged = () => bench.health.remove(second);

    bench.health.remove(bench.connection);
    await settle();

    expect(second.running).toBe(0);
    expect(bench.health.status).toBe("unknown");
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

describe("a server without Watch", () => {
  /** A bench whose Watch was refused. */
  async function refused(...args: ConstructorParameters<typeof HealthBench>): Promise<HealthBench> {
    const bench = await new HealthBench(...args).up();
    bench.connection.current.fail(status.UNIMPLEMENTED);
    await settle();
    return bench;
  }

  it("is asked by a Check at once, and then one in every interval", async () => {
    const bench = await refused({ serviceName: "kv", intervalMs: 5_000 }, fixedRandom(0));
    expect(bench.connection.methods).toEqual(["Watch", "Check"]);
    expect(bench.connection.current).toMatchObject({ sentTexts: ["\n\x02kv"], isHalfClosed: true });
    expect(bench.connection.current.timeoutAt(bench.clock.epoch())).toBe(1_000);
    expect(bench.health.status).toBe("unknown");

    const askedAt: number[] = [];
    for (let second = 0; second <= 20; second++) {
      if (bench.connection.running > 0) {
        askedAt.push(second);
        bench.connection.current.ok(SERVING);
      }
      await bench.pass(1_000);
    }

    // At once, at an instant of chance (here the first look), and from there on in intervals.
    expect(askedAt).toEqual([0, 1, 5, 10, 15, 20]);
    expect(bench.changes).toEqual(["serving"]);
    expect(bench.unimplemented).toBe(0);
  });

  it.each<[string, (bench: HealthBench) => void, string]>([
    ["says NOT_SERVING", ({ connection }) => connection.current.ok(NOT_SERVING), "NOT_SERVING"],
    [
      "does not know the service (R89)",
      ({ connection }) => connection.current.fail(status.NOT_FOUND, "unknown service"),
      "the service does not exist there",
    ],
    [
      "fails it",
      ({ connection }) => connection.current.fail(status.INTERNAL, "no disk"),
      "the Check ended with INTERNAL: no disk",
    ],
    [
      "answers without a message",
      ({ connection }) => connection.current.okTrailers(),
      "the Check ended with OK",
    ],
  ])("is not serving when it %s", async (_what, answer, detail) => {
    const bench = await refused();

    answer(bench);
    await settle();

    expect(bench.changes).toEqual([`not-serving: ${detail}`]);
  });

  it("is not serving when a Check is late, and is asked again, one Check at a time", async () => {
    const bench = await refused({ serviceName: "kv", intervalMs: 1_000, timeoutMs: 2_500 });
    const running: number[] = [];

    for (let second = 0; second < 10; second++) {
      await bench.pass(1_000);
      running.push(bench.connection.running);
    }

    expect(Math.max(...running)).toBe(1);
    expect(bench.connection.methods.length).toBeGreaterThanOrEqual(4);
    expect(bench.health.status).toBe("not-serving");
    expect(bench.health.detail).toContain("the Check ended with DEADLINE_EXCEEDED");
  });

  it("counts as serving when it has no Check either: asked no more, and told once (R83)", async () => {
    const bench = await refused();
    bench.connection.current.fail(status.UNIMPLEMENTED);
    await settle();

    await bench.pass(60_000);
    const second = await bench.further();
    bench.health.remove(bench.connection);
    for (let round = 0; round < 2; round++) {
      second.current.fail(status.UNIMPLEMENTED);
      await settle();
    }

    expect(bench.connection.methods).toEqual(["Watch", "Check"]);
    expect(bench.health).toMatchObject({ status: "serving", detail: null });
    expect(bench.changes).toEqual(["serving"]);
    expect(bench.unimplemented).toBe(1);
  });

  it("whose connection is lost in a Check is not blamed for it", async () => {
    const bench = await refused();
    bench.connection.current.ok(SERVING);
    await bench.pass(5_000);
    expect(bench.connection.running).toBe(1);

    bench.connection.lose();
    await bench.pass(30_000);

    expect(bench.changes).toEqual(["serving"]);
    expect(bench.connection.running).toBe(0);
  });

  it("has its Check cancelled when the connection goes", async () => {
    const bench = await refused();

    bench.health.remove(bench.connection);
    expect(bench.connection.current.cancelledWith?.code).toBe(status.CANCELLED);
    await bench.pass(30_000);

    expect(bench.changes).toEqual([]);
    expect(bench.connection.methods).toEqual(["Watch", "Check"]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("gets the channel's call credentials with Checks, too (R88)", async () => {
    const credentials = CallCredentials.createFromMetadataGenerator((_, callback) =>
      callback(null, new Metadata()),
    );
    const bench = await refused({ serviceName: "" }, fixedRandom(0.5), credentials);

    expect(bench.connection.calls.map((call) => call.credentials)).toEqual([credentials, credentials]);
  });
});

it("asks with Checks from the beginning where Watch is not wanted", async () => {
  const bench = await new HealthBench({ serviceName: "", useWatch: false }).up();

  bench.connection.current.ok(SERVING);
  await settle();

  expect(bench.connection.methods).toEqual(["Check"]);
  expect(bench.changes).toEqual(["serving"]);
});

it("a Check that cannot be sent makes the endpoint not serving, until one can", async () => {
  const bench = new HealthBench({ serviceName: "", useWatch: false }, fixedRandom(0));
  bench.connection.refusal = new Error("the connection is not ready");
  await bench.up();
  expect(bench.changes).toEqual([
    "not-serving: the Check ended with UNAVAILABLE: the connection is not ready",
  ]);

  bench.connection.refusal = null;
  await bench.pass(1_000);
  bench.connection.current.ok(SERVING);
  await settle();

  expect(bench.health.status).toBe("serving");
});
