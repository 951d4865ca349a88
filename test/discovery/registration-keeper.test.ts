import { describe, expect, it } from "vitest";
import { isReason } from "../../src/core/index.js";
import type { RegistrationEvent, ServiceStatus } from "../../src/discovery/registration.js";
import { KeptRegistration } from "../../src/discovery/registration-keeper.js";
import { ManualClock } from "../support/manual-clock.js";
import { fixedRandom, SeededRandom } from "../support/seeded-random.js";
import { type Act, ScriptedRegistrar } from "./scripted-registrar.js";

const CLOSE_MS = 4_000;

/** A registration whose first step is over, or waits. */
async function kept(
  acts: readonly Act[] = [],
  registrar = new ScriptedRegistrar(),
  chance = fixedRandom(0.5),
) {
  const clock = new ManualClock();
  registrar.acts.push(...acts);
  const registration = new KeptRegistration(registrar, { clock, random: chance }, CLOSE_MS);
  const events: RegistrationEvent[] = [];
  registration.onEvent((event) => events.push(event));
  const started = registration.start();
  await clock.advance(0);
  return { clock, registrar, registration, events, started };
}

const away = new Error("Consul is away");
const silence: Act = "silence";

describe("a registration that is kept", () => {
  it("is in the registry once, and says so", async () => {
    const { registrar, registration, events, started } = await kept();

    expect(await started).toBeNull();
    expect(registrar.asked).toEqual(["register passing"]);
    expect(registration.stats()).toMatchObject({
      state: "registered",
      registrations: 1,
      failures: 0,
      lastError: null,
    });
    expect(events).toEqual([{ type: "registered", registrations: 1 }]);
  });

  it("says that it lives once per period, for ever", async () => {
    const { clock, registrar } = await kept();

    await clock.advance(4_999);
    expect(registrar.asked).toHaveLength(1);

    await clock.advance(1 + 9 * 5_000);
    expect(registrar.asked).toEqual(["register passing", ...Array<string>(10).fill("keep passing")]);
  });

  it("spreads its periods by a tenth in both directions, so that servers started together do not stay so", async () => {
    const [early, late] = [
      await kept([], undefined, fixedRandom(0)),
      await kept([], undefined, fixedRandom(0.9999)),
    ];

    await early.clock.advance(4_500);
    await late.clock.advance(5_499);

    expect([early.registrar.asked.length, late.registrar.asked.length]).toEqual([2, 1]);
    await late.clock.advance(1);
    expect(late.registrar.asked).toHaveLength(2);
  });

  it("never lets two thirds of the TTL pass without a word, whatever the dice", async () => {
    const { clock, registrar } = await kept([], new ScriptedRegistrar(), new SeededRandom(7));

    for (let count = 1; count <= 50; count++) {
      await clock.advance(5_500);
      expect(registrar.asked.length).toBeGreaterThan(count);
    }
  });

  it("is registered again at once when the registry has forgotten it", async () => {
    const { clock, registrar, registration, events } = await kept([true, false]);

    await clock.advance(5_000);

    expect(registrar.asked).toEqual(["register passing", "keep passing", "register passing"]);
    expect(registration.stats()).toMatchObject({ state: "registered", registrations: 2 });
    expect(events.map(({ type }) => type)).toEqual(["registered", "forgotten", "registered"]);
  });

  it("goes on after failures with backoff, never slower than its period, and counts them", async () => {
    const { clock, registrar, registration, events } = await kept(Array<Act>(8).fill(away));

    await clock.advance(60_000);

    const pauses = events.flatMap((event) => (event.type === "failed" ? [Math.round(event.retryInMs)] : []));
    expect(pauses).toEqual([1_000, 1_600, 2_560, 4_096, 5_000, 5_000, 5_000, 5_000]);
    expect(registrar.asked.slice(0, 10)).toEqual([
      ...Array<string>(9).fill("register passing"),
      "keep passing",
    ]);
    expect(registration.stats()).toMatchObject({
      state: "registered",
      failures: 8,
      lastError: { text: "Consul is away" },
    });
  });

  it("begins its backoff anew after each success", async () => {
    const { clock, events } = await kept([away, away, true, away]);

    await clock.advance(1_000 + 1_600 + 5_000);

    const pauses = events.flatMap((event) => (event.type === "failed" ? [event.retryInMs] : []));
    expect(pauses).toEqual([1_000, 1_600, 1_000]);
  });

  it("asks no registry that has forgotten it for a sign of life, until it is in again", async () => {
    const { clock, registrar, registration } = await kept([true, false, away]);

    await clock.advance(5_000 + 1_000);

    expect(registrar.asked).toEqual([
      "register passing",
      "keep passing",
      "register passing",
      "register passing",
    ]);
    expect(registration.stats()).toMatchObject({ state: "registered", registrations: 2, failures: 1 });
  });

  it("asks a broken registry about once a second at most, however short its TTL is", async () => {
    const registrar = new ScriptedRegistrar({ keepEveryMs: 100 });
    const { clock } = await kept(Array<Act>(1_000).fill(away), registrar);

    await clock.advance(60_000);

    expect(registrar.asked.length).toBeLessThanOrEqual(61);
  });

  it("is failing while heartbeats fail, and does not register anew what may be there still", async () => {
    const { clock, registrar, registration } = await kept([true, away, true]);

    await clock.advance(5_000);
    const during = registration.stats();
    await clock.advance(1_000);

    expect(during).toMatchObject({ state: "failing", registrations: 1, failures: 1 });
    expect(registration.stats()).toMatchObject({ state: "registered", registrations: 1 });
    expect(registrar.asked).toEqual(["register passing", "keep passing", "keep passing"]);
  });

  it("tells when the registry answered last", async () => {
    const { clock, registration } = await kept([true, true, away]);

    await clock.advance(10_500);

    const answeredAt = new Date(ManualClock.EPOCH_AT_ZERO + 1_000 + 5_000).toISOString();
    expect(registration.stats()).toMatchObject({ state: "failing", answeredAt });
  });

  it("tells since when it is as it is", async () => {
    const { clock, registration } = await kept([true, true, away, away]);

    await clock.advance(11_000);

    const since = new Date(ManualClock.EPOCH_AT_ZERO + 1_000 + 10_000).toISOString();
    expect(registration.stats()).toMatchObject({ state: "failing", since });
  });

  it("does not keep the process alive by its periods", async () => {
    const { clock, started } = await kept();

    await started;

    expect([clock.pendingTimers, clock.keepAliveTimers]).toEqual([1, 0]);
  });

  it("keeps the process alive while somebody awaits its first step", async () => {
    const { clock } = await kept([silence]);

    expect(clock.keepAliveTimers).toBe(1);
  });
});

describe("the status of a registration", () => {
  it("is told at once, and with every heartbeat from then on", async () => {
    const { clock, registrar, registration } = await kept();

    await registration.setStatus("warning", "the disk is slow");
    await clock.advance(5_000);

    expect(registrar.asked).toEqual([
      "register passing",
      "keep warning the disk is slow",
      "keep warning the disk is slow",
    ]);
  });

  it("is told again to a registry that has forgotten the service", async () => {
    const { clock, registrar, registration } = await kept([true, true, false]);

    await registration.setStatus("critical");
    await clock.advance(5_000);

    expect(registrar.asked.at(-1)).toBe("register critical");
  });

  it("is told once, and as the last word has it, where several come before the step begins", async () => {
    const { clock, registrar, registration } = await kept();
    const all = (["warning", "critical", "warning"] as const).map((status) => registration.setStatus(status));

    await Promise.all(all);

    expect(registrar.asked).toEqual(["register passing", "keep warning"]);
    expect(clock.pendingTimers).toBe(1);
  });

  it("fails DISCOVERY_FAILED where the registry is not reached, and is told at the next attempt", async () => {
    const { clock, registrar, registration } = await kept([true, away]);

    const error = await registration.setStatus("warning").catch((caught: unknown) => caught);
    await clock.advance(1_000);

    expect(isReason(error, "DISCOVERY_FAILED")).toBe(true);
    expect(String(error)).toContain(
      "the status of users-1 at consul://127.0.0.1:8500/users was not told: Consul is away",
    );
    expect(registrar.asked.at(-1)).toBe("keep warning");
  });

  it.each([
    ["fine", "", /the status is "fine"; allowed: "passing", "warning", "critical"/],
    [null, "", /the status is null/],
    ["passing", 5, /the note is number; allowed: a text of up to 1000 characters/],
    ["passing", "x".repeat(1_001), /the note is 1001 characters long/],
  ])("is refused as %j with the note %j", async (status, note, text) => {
    const { registrar, registration } = await kept();

    const error = await registration
      .setStatus(status as ServiceStatus, note as string)
      .catch((caught: unknown) => caught);

    expect(isReason(error, "CONFIG_INVALID")).toBe(true);
    expect(String(error)).toMatch(text);
    expect(registrar.asked).toEqual(["register passing"]);
  });

  it("is refused where the registry finds out by itself", async () => {
    const { registration } = await kept(
      [],
      new ScriptedRegistrar({ statusProblem: "Consul itself asks users-1" }),
    );

    const refused = registration.setStatus("critical");

    await expect(refused).rejects.toThrow("CONFIG_INVALID: setStatus: Consul itself asks users-1");
  });

  it("cannot be set after the end", async () => {
    const { registration } = await kept();
    await registration.close();

    const error = await registration.setStatus("warning").catch((caught: unknown) => caught);

    expect(isReason(error, "CLIENT_CLOSED")).toBe(true);
  });

  it("fails CLIENT_CLOSED when the end comes first", async () => {
    const { registration } = await kept();

    const error = registration.setStatus("warning").catch((caught: unknown) => caught);
    await registration.close();

    expect(isReason(await error, "CLIENT_CLOSED")).toBe(true);
  });
});

describe("the end of a registration", () => {
  it("takes the service out, once, and leaves no timer", async () => {
    const { clock, registrar, registration, events } = await kept();

    await Promise.all([registration.close(), registration.close()]);
    await registration[Symbol.asyncDispose]();
    await clock.advance(60_000);

    expect(registrar.asked).toEqual(["register passing", "deregister", "release"]);
    expect(events.at(-1)).toEqual({ type: "closed", error: null });
    expect([registration.stats().state, clock.pendingTimers]).toEqual(["closed", 0]);
  });

  it("waits for a registration under way, which could otherwise arrive after its own end", async () => {
    const { clock, registrar, registration, events } = await kept([silence]);

    const closed = registration.close();
    await clock.advance(CLOSE_MS / 2 - 1);
    const before = [...registrar.asked];
    await clock.advance(1);
    await closed;

    expect(before).toEqual(["register passing"]);
    expect(registrar.asked).toEqual(["register passing", "cancelled", "deregister", "release"]);
    expect(events).toEqual([{ type: "closed", error: null }]);
    expect([registration.stats().failures, clock.pendingTimers]).toEqual([0, 0]);
  });

  it("comes before what was still to be told", async () => {
    const { clock, registrar, registration } = await kept([true, silence]);
    const told = ["warning", "critical"].map((status) =>
      registration
        .setStatus(status as ServiceStatus)
        .catch((error: unknown) => isReason(error, "CLIENT_CLOSED")),
    );
    await clock.advance(0);

    const closed = registration.close();
    await clock.advance(CLOSE_MS / 2);
    await closed;

    expect(await Promise.all(told)).toEqual([true, true]);
    expect(registrar.asked.slice(1)).toEqual(["keep critical", "cancelled", "deregister", "release"]);
  });

  it("ends in bounded time where the registry says nothing, without an error, and tells of it", async () => {
    const { clock, registrar, registration, events } = await kept([true, silence, silence]);
    await clock.advance(5_000);

    let isOver = false;
    const closed = registration.close().then(() => {
      isOver = true;
    });
    await clock.advance(CLOSE_MS - 1);
    expect([isOver, clock.keepAliveTimers]).toEqual([false, 1]);
    await clock.advance(1);
    await closed;

    expect(events.at(-1)).toMatchObject({
      type: "closed",
      error: { message: "the deregistration was not done within 2000 ms" },
    });
    expect(registrar.asked.slice(2)).toEqual(["cancelled", "deregister", "cancelled", "release"]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("does not reject where the registry refuses", async () => {
    const { registration, events } = await kept([true, away]);

    await registration.close();

    expect(events.at(-1)).toEqual({ type: "closed", error: away });
  });

  it("is not followed by a retry of what had failed", async () => {
    const { clock, registrar, registration } = await kept([away]);

    await registration.close();
    await clock.advance(60_000);

    expect(registrar.asked).toEqual(["register passing", "deregister", "release"]);
  });
});
