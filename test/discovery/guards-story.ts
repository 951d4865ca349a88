import { expect } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { discoveryOptionsSchema } from "../../src/discovery/discovery-options.js";
import { eachOnce } from "../../src/discovery/endpoint-sets.js";
import { GuardedResolver, type RememberedSet } from "../../src/discovery/guarded-resolver.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { ScriptedSource } from "./scripted-source.js";

/** What happens to a source, and to the one that listens to it. */
export type Step =
  | { readonly kind: "answer"; readonly set: readonly Endpoint[] }
  /** The last answer once more. */
  | { readonly kind: "again" }
  | { readonly kind: "error" }
  | { readonly kind: "refresh" }
  | { readonly kind: "wait"; readonly ms: number }
  /** The channel sleeps so long, and wakes. */
  | { readonly kind: "idle"; readonly ms: number };

export interface StoryOptions {
  readonly isWatching: boolean;
  readonly emptyGraceMs: number;
  readonly maxShrinkRatio: number;
  readonly shrinkGraceMs: number;
  readonly maxStaleMs: number | null;
}

type Entry = { readonly at: number; readonly set: readonly Endpoint[] | "error" };

/**
 * One source and its guards through a story, beside a record of what was said when. The guards decide as they go; here
 * every change of the set in use is judged by the whole record.
 */
export class GuardsStory {
  readonly clock = new ManualClock();
  #source = new ScriptedSource();
  #guarded: GuardedResolver;
  /** What was said since the last waking. */
  #said: Entry[] = [];
  /** What a resolver woke up with. */
  #remembered: RememberedSet | null = null;
  /** What the listener has. */
  #inUse: readonly Endpoint[] | null = null;
  #told = 0;
  #isExpired = false;
  #truth: readonly Endpoint[] | null = null;

  constructor(private readonly options: StoryOptions) {
    this.#guarded = this.#start();
  }

  /** How often the listener was told of a set, or of a loss held back. */
  get changes(): number {
    return this.#told;
  }

  async play(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      await this.#act(step);
      await settle();
      this.#checkStats();
    }
  }

  /** The source says once more what is so, and then keeps to it, for longer than any grace. */
  async calmDown(): Promise<void> {
    if (this.#truth === null) return;
    this.#answer(this.#truth);
    await this.clock.advance(this.options.emptyGraceMs + this.options.shrinkGraceMs + 1);
    const wasKnown = this.#inUse !== null || this.#truth.length > 0;
    if (wasKnown) expect(byAddress(this.#inUse ?? [])).toEqual(byAddress(eachOnce(this.#truth)));
    expect(this.#guarded.stats()).toMatchObject({ held: null, staleSince: null });
    expect(this.clock.pendingTimers).toBe(0);
  }

  async end(): Promise<void> {
    this.#guarded.close();
    expect(this.clock.pendingTimers).toBe(0);
    const told = this.#told;
    this.#source.answer("late:1");
    this.#source.fail();
    await this.clock.advance(600_000);
    expect(this.#told).toBe(told);
  }

  async #act(step: Step): Promise<void> {
    if (step.kind === "answer") this.#answer(step.set);
    else if (step.kind === "again") this.#answer(this.#truth ?? []);
    else if (step.kind === "error") this.#fail();
    else if (step.kind === "refresh") this.#guarded.refresh();
    else if (step.kind === "wait") await this.clock.advance(step.ms);
    else await this.#idle(step.ms);
  }

  #answer(set: readonly Endpoint[]): void {
    this.#truth = set;
    const isRepeated = !this.#isExpired && this.#latest !== undefined && isSameSet(this.#latest, set);
    this.#isExpired = false;
    this.#said.push({ at: this.clock.now(), set });
    const told = this.#told;
    const wasHeld = this.#guarded.stats().held !== null;
    this.#source.answer(...set);
    // What the source adds is in use at once, as it said it first.
    if (this.#inUse !== null) {
      const used = byAddress(this.#inUse);
      expect(used).toMatchObject(byAddress(eachOnce(set)));
    }
    if (isRepeated && !wasHeld) expect(this.#told).toBe(told);
  }

  #fail(): void {
    this.#said.push({ at: this.clock.now(), set: "error" });
    this.#source.fail();
  }

  async #idle(ms: number): Promise<void> {
    this.#remembered = this.#guarded.memory;
    this.#guarded.close();
    expect(this.clock.pendingTimers).toBe(0);
    await this.clock.advance(ms);
    this.#source = new ScriptedSource();
    this.#said = [];
    this.#inUse = this.#remembered?.endpoints ?? null;
    this.#guarded = this.#start();
  }

  #start(): GuardedResolver {
    const source = this.#source;
    source.isWatching = this.options.isWatching;
    // A source that watches has nothing to do, one that does not asks again.
    source.onRefresh = this.options.isWatching
      ? null
      : () => source === this.#source && !source.isClosed && this.#answer(this.#truth ?? []);
    const { isWatching: _, ...given } = this.options;
    const guarded = new GuardedResolver(
      source,
      discoveryOptionsSchema.parse(given),
      { clock: this.clock },
      this.#remembered,
    );
    guarded.start({
      onEndpoints: (set) => this.#onEndpoints(set),
      onError: () => {},
      onHeld: ({ lost }) => {
        this.#told++;
        expect(lost.length).toBeGreaterThan(0);
      },
    });
    return guarded;
  }

  get #latest(): readonly Endpoint[] | undefined {
    const last = this.#said.findLast(({ set }) => set !== "error")?.set;
    return last === "error" ? undefined : last;
  }

  #onEndpoints(set: readonly Endpoint[]): void {
    this.#told++;
    const before = this.#inUse ?? [];
    expect(byAddress(set)).not.toEqual(byAddress(before));
    expect(new Set(set.map(({ address }) => address)).size).toBe(set.length);
    this.#inUse = set;
    const known = byAddress(set);
    const lost = before.filter(({ address }) => known[address] === undefined);
    if (lost.length > 0) this.#judge(before, lost);
  }

  /** Endpoints have left the set in use: was that right, by all that was said? */
  #judge(before: readonly Endpoint[], lost: readonly Endpoint[]): void {
    const now = this.clock.now();
    const { emptyGraceMs, maxShrinkRatio, shrinkGraceMs, maxStaleMs } = this.options;
    if (this.#said.at(-1)?.set === "error") {
      // Nothing but maxStaleMs takes away from a source that fails, and then it takes all.
      expect(maxStaleMs).not.toBe(null);
      expect(now - this.#unheardSince).toBeGreaterThanOrEqual(maxStaleMs ?? 0);
      expect(lost).toHaveLength(before.length);
      this.#isExpired = true;
      return;
    }
    const newest = eachOnce(this.#latest ?? []);
    const named = byAddress(newest);
    for (const { address } of lost) expect(named[address]).toBe(undefined);
    if (newest.length >= before.length) return;
    if (newest.length === 0) {
      expect(this.#answeredMs((set) => set.length === 0)).toBeGreaterThanOrEqual(emptyGraceMs);
      return;
    }
    if (1 - newest.length / before.length <= maxShrinkRatio) return;
    const lacking = (set: readonly Endpoint[]) => {
      const names = byAddress(set);
      return lost.some(({ address }) => names[address] === undefined);
    };
    const lackedMs = this.#answeredMs(lacking);
    expect(lackedMs).toBeGreaterThanOrEqual(shrinkGraceMs);
    const back = this.#backSince;
    if (back !== null) expect(Math.max(now - back, lackedMs)).toBeGreaterThanOrEqual(emptyGraceMs);
  }

  /** For how long the source has said what it says now, in all its answers, the time after a failure apart. */
  #answeredMs(holds: (set: readonly Endpoint[]) => boolean): number {
    let [sum, end] = [0, this.clock.now()];
    for (const { at, set } of this.#said.toReversed()) {
      if (set !== "error" && !holds(set)) break;
      if (set !== "error") sum += end - at;
      end = at;
    }
    return sum;
  }

  /** When the source answered again after its last failure; null where it never failed. */
  get #backSince(): number | null {
    const failed = this.#said.findLastIndex(({ set }) => set === "error");
    return failed < 0 ? null : (this.#said[failed + 1]?.at ?? null);
  }

  get #unheardSince(): number {
    const lastAnswer = this.#said.findLastIndex(({ set }) => set !== "error");
    if (lastAnswer < 0 && this.#remembered !== null) return this.#remembered.sinceMs;
    return this.#said[lastAnswer + 1]?.at ?? Number.POSITIVE_INFINITY;
  }

  #checkStats(): void {
    const stats = this.#guarded.stats();
    const answers = this.#said.filter(({ set }) => set !== "error").length;
    const inUse = this.#inUse ?? [];
    expect(stats).toMatchObject({
      endpoints: inUse.length,
      answers,
      failures: this.#said.length - answers,
    });
    expect(byAddress(this.#guarded.current ?? [])).toEqual(byAddress(inUse));
    const isFailing = this.#said.at(-1)?.set === "error";
    expect(stats.staleSince !== null).toBe(isFailing);
    if (answers === 0 || this.#isExpired) return;
    const named = byAddress(this.#latest ?? []);
    const held = inUse.filter(({ address }) => named[address] === undefined).length;
    expect(stats.held?.endpoints ?? 0).toBe(held);
  }
}

/** By address, with what is said of each but its default. */
function byAddress(set: readonly Endpoint[]): Record<string, object> {
  return Object.fromEntries(set.map(({ address, weight = 1 }) => [address, { weight }]));
}

function isSameSet(one: readonly Endpoint[], other: readonly Endpoint[]): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
