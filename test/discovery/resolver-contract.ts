import { describe, expect, it } from "vitest";
import { discoveryOptionsSchema } from "../../src/discovery/discovery-options.js";
import { GuardedResolver } from "../../src/discovery/guarded-resolver.js";
import type { Resolver } from "../../src/discovery/index.js";
import type { ManualClock } from "../support/manual-clock.js";
import { RecordingListener } from "./recording-listener.js";

/** A resolver that will find one non-empty set, always the same, and the means to watch it. */
export interface ContractSubject {
  readonly resolver: Resolver;
  readonly clock: ManualClock;
  /** Questions put to the outside so far; 0 for ever where there is no outside. */
  questions(): number;
  /**
   * For a resolver with real sockets: comes back when `condition` holds, which the clock alone cannot bring about.
   * Absent where the answers are there as soon as promises have run.
   */
  until?(condition: () => boolean): Promise<void>;
  /** Ends what the subject is made of, beside the resolver. */
  end?(): Promise<void>;
}

/** Longer than the shortest pace of any resolver, shorter than the pace that it keeps by itself. */
const A_MOMENT_MS = 5_000;
/** Longer than any pace a resolver keeps without errors. */
const A_WHILE_MS = 120_000;

/** What every resolver owes the pool, whatever its source. */
export function resolverContract(name: string, make: () => ContractSubject | Promise<ContractSubject>): void {
  /** Runs a test on a fresh subject, which is ended whatever comes of it. */
  const on = (test: (subject: ContractSubject & { until(is: () => boolean): Promise<void> }) => unknown) =>
    async function run(): Promise<void> {
      const subject = await make();
      const { clock } = subject;
      const until =
        subject.until ??
        (async (condition: () => boolean) => {
          await clock.advance(0);
          if (!condition()) throw new Error("it did not happen by itself");
        });
      try {
        await test({ ...subject, questions: () => subject.questions(), until });
      } finally {
        subject.resolver.close();
        await subject.end?.();
      }
    };

  describe(`${name}: the resolver contract (B32, D17)`, () => {
    it(
      "makes no I/O and takes no timer until it is started",
      on(async ({ resolver, clock, questions }) => {
        resolver.refresh();
        await clock.advance(A_WHILE_MS);

        expect(questions()).toBe(0);
        expect(clock.pendingTimers).toBe(0);
      }),
    );

    it(
      "brings the first answer by itself, and not inside start()",
      on(async ({ resolver, until }) => {
        const listener = new RecordingListener();

        resolver.start(listener);
        const duringStart = listener.events;
        await until(() => listener.events > 0);

        expect(duringStart).toBe(0);
        expect(listener.errors).toEqual([]);
        expect(listener.sets[0]?.length).toBeGreaterThan(0);
      }),
    );

    it(
      "drops an answer that is under way when it is closed",
      on(async ({ resolver, clock }) => {
        const listener = new RecordingListener();

        resolver.start(listener);
        resolver.close();
        await clock.advance(A_WHILE_MS);

        expect(listener.events).toBe(0);
      }),
    );

    it(
      "asks nothing and holds no timer after close",
      on(async ({ resolver, clock, questions, until }) => {
        const listener = new RecordingListener();
        resolver.start(listener);
        await until(() => listener.events > 0);
        resolver.refresh();
        const asked = questions();

        resolver.close();
        const timersLeft = clock.pendingTimers;
        resolver.refresh();
        await clock.advance(A_WHILE_MS);

        expect(timersLeft).toBe(0);
        expect(questions()).toBe(asked);
      }),
    );

    it(
      "may be closed twice, and before it was started",
      on(({ resolver }) => {
        resolver.close();

        expect(() => resolver.close()).not.toThrow();
      }),
    );

    it(
      "refuses a second start, so that no two listeners share its answers unknowingly",
      on(({ resolver }) => {
        resolver.start(new RecordingListener());

        expect(() => resolver.start(new RecordingListener())).toThrow(resolver.target);
      }),
    );

    it(
      "refuses to start after close",
      on(({ resolver }) => {
        resolver.close();

        expect(() => resolver.start(new RecordingListener())).toThrow("closed");
      }),
    );

    it(
      "turns a storm of refreshes after an answer into at most one more question",
      on(async ({ resolver, clock, questions, until }) => {
        const listener = new RecordingListener();
        resolver.start(listener);
        await until(() => listener.events > 0);
        const asked = questions();

        for (let call = 0; call < 1_000; call++) resolver.refresh();
        await clock.advance(A_MOMENT_MS);

        expect(questions() - asked).toBeLessThanOrEqual(1);
      }),
    );

    it(
      "behind the guards, says nothing when the answer is the same as before",
      on(async ({ resolver, clock, until }) => {
        const guarded = new GuardedResolver(resolver, discoveryOptionsSchema.parse({}), { clock });
        const listener = new RecordingListener();
        guarded.start(listener);
        await until(() => listener.events > 0);

        guarded.refresh();
        await clock.advance(A_MOMENT_MS);

        expect(listener.sets).toHaveLength(1);
        expect(guarded.stats()).toMatchObject({ failures: 0, staleSince: null, held: null });
        guarded.close();
      }),
    );
  });
}
