import fc from "fast-check";
import { expect, it } from "vitest";
import { type RunningCall, RunningCalls } from "../../src/call/running-calls.js";

class Call implements RunningCall {
  previousRunning: RunningCall | null = null;
  nextRunning: RunningCall | null = null;
  readonly aborts: string[] = [];
  onAbort: () => void = () => {};

  abort(details: string): void {
    this.aborts.push(details);
    this.onAbort();
  }
}

function chainOf(count: number): { running: RunningCalls; calls: Call[] } {
  const running = new RunningCalls();
  const calls = Array.from({ length: count }, () => new Call());
  for (const call of calls) running.add(call);
  return { running, calls };
}

it("the chain holds exactly the calls that were added and not removed, in whatever order they end", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(7), { maxLength: 40 }), (script) => {
      const { running, calls } = chainOf(8);
      const model = new Set(calls);

      for (const which of script) {
        const call = calls[which] as Call;
        if (model.delete(call)) {
          running.remove(call);
        } else {
          model.add(call);
          running.add(call);
        }
        expect(running.size).toBe(model.size);
      }
      running.abortAll("end");

      expect(calls.map((call) => call.aborts.length)).toEqual(calls.map((call) => (model.has(call) ? 1 : 0)));
    }),
  );
});

it("a call that has left holds no others in memory", () => {
  const { running, calls } = chainOf(3);
  const middle = calls[1] as Call;

  running.remove(middle);

  expect([middle.previousRunning, middle.nextRunning]).toEqual([null, null]);
});

it("ends every call, though each leaves the chain as it is told", () => {
  const { running, calls } = chainOf(4);
  for (const call of calls) call.onAbort = () => running.remove(call);

  running.abortAll("the channel is going away");

  expect(running.size).toBe(0);
  expect(calls.map((call) => call.aborts)).toEqual(calls.map(() => ["the channel is going away"]));
});

it("does not end a call that begins while the others are ended", () => {
  const { running, calls } = chainOf(1);
  const late = new Call();
  (calls[0] as Call).onAbort = () => running.add(late);

  running.abortAll("end");

  expect(late.aborts).toEqual([]);
});
