import { afterEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import type { HealthProbe } from "../../src/pool/health-options.js";
import { settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { ENDPOINT, HealthBench } from "./health-bench.js";

const rejections: unknown[] = [];
const onRejection = (reason: unknown): void => void rejections.push(reason);
process.on("unhandledRejection", onRejection);
afterEach(() => {
  expect(rejections.splice(0)).toEqual([]);
});

interface Asked {
  readonly endpoint: Endpoint;
  readonly signal: AbortSignal;
  answer(value: unknown): void;
  fail(error: unknown): void;
}

/** An endpoint whose probe answers when the test says so. */
async function probed(timing: object = {}): Promise<{ bench: HealthBench; asked: Asked[] }> {
  const asked: Asked[] = [];
  const probe: HealthProbe = (endpoint, signal) =>
    new Promise((resolve, reject) => {
      asked.push({ endpoint, signal, answer: (value) => resolve(value as boolean), fail: reject });
    });
  const bench = await new HealthBench({ probe, ...timing }, fixedRandom(0)).up();
  return { bench, asked };
}

describe("a probe of the user's", () => {
  it("decides in place of the server's health service, at once and in every interval", async () => {
    const answers = [true, true, false, true];
    const bench = new HealthBench(
      { probe: () => answers.shift() ?? true, intervalMs: 2_000 },
      fixedRandom(0),
    );

    await bench.up();
    expect(bench.changes).toEqual(["serving"]);
    await bench.pass(6_000);

    expect(bench.changes).toEqual(["serving", "not-serving: the probe said no", "serving"]);
    expect(answers).toEqual([]);
    expect(bench.connection.calls).toEqual([]);
  });

  it("is told the endpoint and a signal, and leaves no timer once it has answered", async () => {
    const { bench, asked } = await probed();
    expect(asked[0]?.endpoint).toBe(ENDPOINT);

    asked[0]?.answer(true);
    await settle();

    expect(asked[0]?.signal.aborted).toBe(false);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.health.status).toBe("serving");
  });

  it.each<[string, () => unknown, string]>([
    [
      "throws",
      () => {
        throw new Error("no route");
      },
      "the probe failed: no route",
    ],
    ["rejects", () => Promise.reject(new Error("no route")), "the probe failed: no route"],
    ["rejects with nothing", () => Promise.reject(undefined), "the probe failed: undefined"],
    [
      "gives no boolean",
      () => Promise.resolve(1),
      "the probe gave a value of type number; allowed: true or false",
    ],
    [
      "forgets to answer",
      () => undefined,
      "the probe gave a value of type undefined; allowed: true or false",
    ],
  ])("that %s makes the endpoint not serving, and harms nothing", async (_what, probe, detail) => {
    const bench = await new HealthBench({ probe: probe as HealthProbe }).up();

    expect(bench.changes).toEqual([`not-serving: ${detail}`]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("that never settles makes the endpoint not serving when its time is up, and its late answer does not count", async () => {
    const { bench, asked } = await probed({ timeoutMs: 700 });
    await bench.clock.advance(699);
    expect(bench.health.status).toBe("unknown");

    await bench.clock.advance(1);
    expect(asked[0]?.signal.aborted).toBe(true);
    asked[0]?.answer(true);
    await settle();

    expect(bench.changes).toEqual(["not-serving: the probe failed: the probe did not answer within 700 ms"]);
  });

  it("that fails after its time is nobody's unhandled rejection", async () => {
    const { bench, asked } = await probed();
    await bench.clock.advance(1_000);

    asked[0]?.fail(new Error("late"));
    await settle();

    expect(bench.health.detail).toContain("did not answer within 1000 ms");
  });

  it("is not asked again before the one under way is over", async () => {
    const { bench, asked } = await probed({ intervalMs: 1_000, timeoutMs: 3_500 });
    await bench.pass(3_000);
    expect(asked).toHaveLength(1);

    await bench.pass(2_000);

    expect(asked).toHaveLength(2);
    expect(asked.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  });

  it("goes on undisturbed when one of several connections goes", async () => {
    const { bench, asked } = await probed();
    await bench.further();

    bench.health.remove(bench.connection);
    asked[0]?.answer(true);
    await settle();

    expect(asked).toHaveLength(1);
    expect(bench.changes).toEqual(["serving"]);
  });

  it.each<[string, (bench: HealthBench) => void]>([
    ["its last connection", ({ health, connection }) => health.remove(connection)],
    ["the channel", ({ health }) => health.close()],
  ])("ends with %s, its signal aborted and no timer left", async (_what, end) => {
    const { bench, asked } = await probed();

    end(bench);
    expect(asked[0]?.signal.aborted).toBe(true);
    asked[0]?.answer(true);
    await settle();
    expect(bench.clock.pendingTimers).toBe(0);
    await bench.pass(60_000);

    expect(asked).toHaveLength(1);
    expect(bench.health.status).toBe("unknown");
  });

  it("begins anew with the next connection", async () => {
    const { bench, asked } = await probed();
    bench.health.remove(bench.connection);

    await bench.further();
    asked[1]?.answer(true);
    await settle();

    expect(bench.health.status).toBe("serving");
  });
});
