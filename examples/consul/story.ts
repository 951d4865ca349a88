import { setTimeout as sleep } from "node:timers/promises";
import type { ConsulAgent } from "../../scripts/consul-cluster.mjs";
import type { Timeline } from "../shared/timeline.js";
import type { Follower } from "./client.js";
import { type Greeter, type Greeters, until } from "./greeters.js";
import type { Load } from "./load.js";

/** What the story is about. */
export interface Scene {
  readonly consul: ConsulAgent;
  readonly greeters: Greeters;
  readonly follower: Follower;
  readonly load: Load;
  readonly timeline: Timeline;
  readonly signal: AbortSignal;
}

/** A Consul that was away is asked again after up to 36 s, and a process takes its time to start. */
const PATIENCE_MS = 60_000;

/** Between two steps, as a share of the whole. */
const LEAST_PAUSE = 0.08;

/** Servers come, fall ill, leave and crash, and Consul itself crashes and forgets everything. All of it scales with `seconds`. */
export async function play(scene: Scene, seconds: number): Promise<void> {
  const { consul, greeters, timeline, signal } = scene;
  const [first, second] = greeters.all as [Greeter, Greeter];
  const ms = seconds * 1_000;
  /** Also where the step before has taken its time, there is some between two. */
  const until = (share: number) =>
    sleep(Math.max(LEAST_PAUSE, share - timeline.nowMs / ms) * ms, undefined, { signal });

  await until(0.1);
  const third = await join(scene);
  await until(0.25);
  if (process.platform === "win32") timeline.note("no warning: this system has no SIGUSR2");
  else {
    first.warn();
    timeline.note(`${first.id} says "warning": its weight is 1 from now on, that of the others 4`);
  }
  await until(0.4);
  second.leave();
  timeline.note(`${second.id} leaves in order (SIGTERM)`);
  await until(0.55);
  await third.kill();
  timeline.note(`${third.id} crashes (SIGKILL); Consul believes in it for 3 s more`);
  await until(0.65);
  await consul.kill();
  timeline.note("Consul crashes (SIGKILL)");
  await until(0.75);
  consul.restart();
  timeline.note("Consul is started again, and has forgotten everything");
  await until(0.85);
  await join(scene);
  await until(1);
}

/** Starts another server; resolves when it is called. */
async function join(scene: Scene): Promise<Greeter> {
  const { greeters, load, timeline } = scene;
  const greeter = greeters.start();
  timeline.note(`${greeter.id} starts, and registers itself as soon as it listens`);
  await until(() => load.answersOf(greeter.id) > 0, `the first call of ${greeter.id}`, {
    ...scene,
    withinMs: PATIENCE_MS,
  });
  timeline.note(`${greeter.id} has been called`);
  return greeter;
}
