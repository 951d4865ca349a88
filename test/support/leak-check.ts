import { type EventEmitter, getEventListeners } from "node:events";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { turns } from "./event-loop.js";
import { TimerWatch } from "./timer-watch.js";

/** What a forgotten `close()` leaves behind, as Node names it: sockets, listening sockets, pipes and child stdio. */
const KINDS = ["TCPSocketWrap", "TCPServerWrap", "PipeWrap"] as const;

type Counts = Readonly<Record<string, number>>;
type Emitters = Readonly<Record<string, EventEmitter | AbortSignal>>;

/** What was alive at one moment, to compare with later. */
export interface LeakBaseline {
  /**
   * Waits until nothing is alive that was not alive at the baseline; to be called once.
   *
   * @throws Error naming what is left after `withinMs` (default 5,000).
   */
  expectClean(withinMs?: number): Promise<void>;
}

/**
 * Remembers the sockets, servers and pipes alive now and the listeners on the `emitters` given (say,
 * `{ process, signal }`), and watches the timers set from now on, so that a wire test can prove that it left none.
 * Timers that do not keep the process alive are not counted; a manual clock counts those.
 */
export async function leakBaseline(emitters: Emitters = {}): Promise<LeakBaseline> {
  await turns(2);
  const before = census(emitters);
  const timers = new TimerWatch();
  const left = (): string[] => [
    ...surplus(before, census(emitters)),
    ...timers.keepAlive.map((setAt) => `1 Timeout set ${setAt}`),
  ];
  return {
    async expectClean(withinMs = 5_000) {
      const giveUpAt = performance.now() + withinMs;
      while (left().length > 0 && performance.now() < giveUpAt) {
        await delay(5);
        // Node announces the end of a timer, also of ours, a turn late.
        await turns(2);
      }
      const leftovers = left();
      timers.close();
      if (leftovers.length > 0) throw new Error(`left behind: ${leftovers.join(", ")}${openSockets()}`);
    },
  };
}

/** Listeners per event name; of an AbortSignal, those that wait for `abort`. */
export function listenerCounts(emitter: EventEmitter | AbortSignal): Counts {
  if (emitter instanceof AbortSignal) return { abort: getEventListeners(emitter, "abort").length };
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]));
}

function census(emitters: Emitters): Counts {
  const counts: Record<string, number> = {};
  const resources = process.getActiveResourcesInfo();
  for (const kind of KINDS) counts[kind] = resources.filter((resource) => resource === kind).length;
  for (const [name, emitter] of Object.entries(emitters)) {
    for (const [event, count] of Object.entries(listenerCounts(emitter))) {
      counts[`"${event}" listener on ${name}`] = count;
    }
  }
  return counts;
}

function surplus(before: Counts, now: Counts): string[] {
  return Object.entries(now)
    .map(([what, count]) => ({ what, extra: count - (before[what] ?? 0) }))
    .filter(({ extra }) => extra > 0)
    .map(({ what, extra }) => `${extra} ${what}`);
}

/** Node has no public list of handles; with this one the error can say which sockets they are. */
function openSockets(): string {
  const listHandles = Reflect.get(process, "_getActiveHandles") as
    | (() => readonly Partial<Socket>[])
    | undefined;
  const sockets = (listHandles?.call(process) ?? []).filter((handle) => handle.remotePort !== undefined);
  if (sockets.length === 0) return "";
  return ` (open: ${sockets.map((socket) => `${socket.localPort} -> ${socket.remotePort}`).join(", ")})`;
}
