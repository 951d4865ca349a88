import { CallCredentials, type InterceptingListener, Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { ServerWatch, type ServerWatchOwner } from "../../src/pool/server-watch.js";
import { FakeCall } from "../support/fake-call.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { depsOf, FakeConnection } from "./health-bench.js";

const METHOD = "/test.Service/Watch";

/** One watch, with all it told in order. */
class WatchBench implements ServerWatchOwner {
  readonly clock = new ManualClock();
  readonly connection = new FakeConnection(this.clock);
  readonly log: string[] = [];
  readonly watch: ServerWatch;
  onTold: (() => void) | null = null;

  constructor(roll = 0.5, credentials: CallCredentials | null = null) {
    const deps = depsOf(this.clock, fixedRandom(roll), credentials);
    this.watch = new ServerWatch(
      this.connection,
      { method: METHOD, message: Buffer.from("request") },
      this,
      deps,
    );
  }

  async started(): Promise<this> {
    this.watch.start();
    await settle();
    return this;
  }

  async answer(text: string): Promise<void> {
    this.connection.current.message(text);
    await settle();
  }

  async end(code: status): Promise<void> {
    this.connection.current.fail(code, "scripted");
    await settle();
  }

  /** Milliseconds until the next start. */
  async waitMs(): Promise<number> {
    const { calls } = this.connection;
    const before = calls.length;
    const from = this.clock.now();
    // In small steps: the clock would otherwise run on after the start.
    while (calls.length === before) {
      if (this.clock.pendingTimers === 0) throw new Error("no start is coming");
      await this.clock.advance(10);
    }
    return this.clock.now() - from;
  }

  /** True when it is begun again within ten minutes. */
  async startsAgain(): Promise<boolean> {
    const before = this.connection.calls.length;
    await this.clock.advance(600_000);
    return this.connection.calls.length > before;
  }

  onMessage(bytes: Buffer): void {
    this.#tell(String(bytes));
  }

  onEnd({ code, details }: { code: status; details: string }): void {
    this.#tell(`${status[code]} ${details}`);
  }

  onRestart(): void {
    this.#tell("restart");
  }

  onUnimplemented(): void {
    this.#tell("unimplemented");
  }

  #tell(what: string): void {
    this.log.push(what);
    this.onTold?.();
  }
}

describe("a watch", () => {
  it("is one stream without a deadline, with one request, read as fast as messages come (R88)", async () => {
    const bench = await new WatchBench().started();

    for (const text of ["a", "b", "c"]) await bench.answer(text);

    expect(bench.connection.calls).toHaveLength(1);
    expect(bench.connection.current).toMatchObject({
      method: METHOD,
      deadline: Number.POSITIVE_INFINITY,
      sentTexts: ["request"],
      isHalfClosed: true,
    });
    expect(bench.log).toEqual(["a", "b", "c"]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("carries the channel's call credentials at every start (R88)", async () => {
    const credentials = CallCredentials.createFromMetadataGenerator((_, callback) =>
      callback(null, new Metadata()),
    );
    const bench = await new WatchBench(0.5, credentials).started();

    await bench.end(status.UNAVAILABLE);
    await bench.waitMs();

    expect(bench.connection.calls.map((call) => call.credentials)).toEqual([credentials, credentials]);
  });

  it.each([
    status.OK,
    status.CANCELLED,
    status.UNAVAILABLE,
    status.UNAUTHENTICATED,
    status.DEADLINE_EXCEEDED,
  ])("that ends with code %d is told, and begun again (R84)", async (code) => {
    const bench = await new WatchBench().started();

    await bench.end(code);
    await bench.waitMs();

    expect(bench.log).toEqual([`${status[code]} scripted`, "restart"]);
  });

  it("that ends without a message backs off further each time, from its start on (R84, R58)", async () => {
    const bench = await new WatchBench().started();
    const waits: number[] = [];

    for (let round = 0; round < 6; round++) {
      await bench.clock.advance(100);
      await bench.end(status.UNAVAILABLE);
      waits.push(await bench.waitMs());
    }

    expect(waits).toEqual([900, 1_500, 2_460, 4_000, 4_900, 4_900]);
  });

  it.each([
    [0, 800],
    [0.999_999, 1_200],
  ])("spreads its first wait by 20 %% (roll %d: %d ms) (R84)", async (roll, expected) => {
    const bench = await new WatchBench(roll).started();

    await bench.end(status.UNAVAILABLE);

    expect(await bench.waitMs()).toBe(expected);
  });

  it("that had a message begins again at once, and the one after that backs off from the start (R84)", async () => {
    const bench = await new WatchBench().started();
    for (let round = 0; round < 3; round++) {
      await bench.end(status.UNAVAILABLE);
      await bench.waitMs();
    }
    await bench.answer("a");

    await bench.end(status.UNAVAILABLE);
    await bench.clock.advance(0);
    expect(bench.connection.calls).toHaveLength(5);
    await bench.end(status.UNAVAILABLE);

    expect(await bench.waitMs()).toBe(1_000);
  });

  it("does not spin where a server answers and ends, again and again (R84)", async () => {
    const bench = await new WatchBench().started();
    const from = bench.clock.now();

    while (bench.clock.now() - from < 10_000) {
      await bench.answer("a");
      await bench.end(status.OK);
      await bench.clock.advance(5);
    }

    expect(bench.connection.calls.length).toBeLessThan(25);
    expect(bench.connection.calls.length).toBeGreaterThan(10);
  });

  it("that lived long follows itself at once, every time (R84)", async () => {
    const bench = await new WatchBench().started();

    const starts: number[] = [];
    for (let round = 0; round < 3; round++) {
      await bench.answer("a");
      await bench.clock.advance(60_000);
      await bench.end(status.UNAVAILABLE);
      await bench.clock.advance(0);
      starts.push(bench.connection.calls.length);
    }

    expect(starts).toEqual([2, 3, 4]);
  });

  it("is not repeated on a connection whose server does not know it (R83)", async () => {
    const bench = await new WatchBench().started();

    await bench.end(status.UNIMPLEMENTED);

    expect(await bench.startsAgain()).toBe(false);
    expect(bench.log).toEqual(["unimplemented"]);
  });

  it("ends in silence with its connection, whoever notices first (R85)", async () => {
    const bench = await new WatchBench().started();

    bench.connection.lose();
    await settle();

    expect(await bench.startsAgain()).toBe(false);
    expect(bench.log).toEqual([]);
  });

  it("backs off where it cannot even be opened", async () => {
    const bench = new WatchBench();
    bench.connection.refusal = new Error("no call today");

    await bench.started();
    expect(bench.log).toEqual(["INTERNAL no call today"]);
    bench.connection.refusal = null;

    expect(await bench.waitMs()).toBe(1_000);
    expect(bench.log.at(-1)).toBe("restart");
  });
});

describe("a watch that is stopped", () => {
  it("cancels its stream at once and says no more (R85)", async () => {
    const bench = await new WatchBench().started();
    const call = bench.connection.current;

    bench.watch.stop();
    expect(call.cancelledWith?.code).toBe(status.CANCELLED);
    await bench.answer("late");

    expect(bench.log).toEqual([]);
    expect(await bench.startsAgain()).toBe(false);
  });

  it("is not begun again, and leaves no timer (R85)", async () => {
    const bench = await new WatchBench().started();
    await bench.end(status.UNAVAILABLE);

    bench.watch.stop();

    expect(bench.clock.pendingTimers).toBe(0);
    expect(await bench.startsAgain()).toBe(false);
  });

  it.each<[string, number, (bench: WatchBench) => Promise<void>]>([
    ["a message", 0, (bench) => bench.answer("a")],
    ["an end", 1, (bench) => bench.end(status.UNAVAILABLE)],
  ])("may be stopped by whoever hears of %s: it asks for no more", async (_what, reads, act) => {
    const bench = await new WatchBench().started();
    bench.onTold = () => bench.watch.stop();

    await act(bench);

    expect(bench.log).toHaveLength(1);
    expect(bench.connection.current.readsAsked).toBe(reads);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(await bench.startsAgain()).toBe(false);
  });

  it("hears nothing of a message that was on its way (R85)", async () => {
    const bench = new WatchBench();
    const listeners: InterceptingListener[] = [];
    const start = FakeCall.prototype.start;
    vi.spyOn(FakeCall.prototype, "start").mockImplementation(function (this: FakeCall, metadata, listener) {
      listeners.push(listener);
      start.call(this, metadata, listener);
    });
    await bench.started();

    bench.watch.stop();
    listeners[0]?.onReceiveMessage(Buffer.from("late"));

    expect(bench.log).toEqual([]);
    vi.restoreAllMocks();
  });
});
