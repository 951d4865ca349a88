import { describe, expect, it } from "vitest";
import type { Resolver } from "../../src/discovery/index.js";
import type { ManualClock } from "../support/manual-clock.js";
import { RecordingListener } from "./recording-listener.js";

/** A resolver that will find one non-empty set, always the same, and the means to watch it. */
export interface ContractSubject {
  readonly resolver: Resolver;
  readonly clock: ManualClock;
  /** Questions put to the outside so far; 0 for ever where there is no outside. */
  questions(): number;
}

/** Longer than any pace a resolver keeps without errors. */
const A_WHILE_MS = 60_000;

/** What every resolver owes the pool, whatever its source. */
export function resolverContract(name: string, make: () => ContractSubject): void {
  describe(`${name}: the resolver contract`, () => {
    it("makes no I/O and takes no timer until it is started", async () => {
      const { resolver, clock, questions } = make();

      resolver.refresh();
      await clock.advance(A_WHILE_MS);

      expect(questions()).toBe(0);
      expect(clock.pendingTimers).toBe(0);
    });

    it("brings the first answer by itself, and not inside start()", async () => {
      const { resolver, clock } = make();
      const listener = new RecordingListener();

      resolver.start(listener);
      const duringStart = listener.events;
      await clock.advance(0);

      expect(duringStart).toBe(0);
      expect(listener.sets).toHaveLength(1);
      expect(listener.sets[0]).not.toEqual([]);
    });

    it("drops an answer that is under way when it is closed", async () => {
      const { resolver, clock } = make();
      const listener = new RecordingListener();

      resolver.start(listener);
      resolver.close();
      await clock.advance(A_WHILE_MS);

      expect(listener.events).toBe(0);
    });

    it("asks nothing and holds no timer after close", async () => {
      const { resolver, clock, questions } = make();
      resolver.start(new RecordingListener());
      await clock.advance(0);
      resolver.refresh();
      const asked = questions();

      resolver.close();
      const timersLeft = clock.pendingTimers;
      resolver.refresh();
      await clock.advance(A_WHILE_MS);

      expect(timersLeft).toBe(0);
      expect(questions()).toBe(asked);
    });

    it("may be closed twice, and before it was started", () => {
      const { resolver } = make();

      resolver.close();

      expect(() => resolver.close()).not.toThrow();
    });

    it("refuses a second start, so that no two listeners share its answers unknowingly", () => {
      const { resolver } = make();
      resolver.start(new RecordingListener());

      expect(() => resolver.start(new RecordingListener())).toThrow(resolver.target);

      resolver.close();
    });

    it("refuses to start after close", () => {
      const { resolver } = make();

      resolver.close();

      expect(() => resolver.start(new RecordingListener())).toThrow("closed");
    });

    it("turns a storm of refreshes after an answer into at most one more question", async () => {
      const { resolver, clock, questions } = make();
      resolver.start(new RecordingListener());
      await clock.advance(0);
      const asked = questions();

      for (let call = 0; call < 1_000; call++) resolver.refresh();
      await clock.advance(A_WHILE_MS);

      expect(questions() - asked).toBeLessThanOrEqual(1);
      resolver.close();
    });

    it("says nothing when the answer is the same as before", async () => {
      const { resolver, clock } = make();
      const listener = new RecordingListener();
      resolver.start(listener);
      await clock.advance(0);

      resolver.refresh();
      await clock.advance(A_WHILE_MS);

      expect(listener.events).toBe(1);
      resolver.close();
    });
  });
}
