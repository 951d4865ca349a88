import { startConsul } from "../../scripts/consul-cluster.mjs";
import { abortable } from "../shared/abortable.js";
import { Timeline, type TimelineEntry } from "../shared/timeline.js";
import { type Follower, followGreeter } from "./client.js";
import { type Fate, Greeters, until } from "./greeters.js";
import { Load, type LoadReport } from "./load.js";
import { play } from "./story.js";

export interface Report extends LoadReport {
  readonly seconds: number;
  readonly timeline: readonly TimelineEntry[];
  readonly servers: readonly { readonly id: string; readonly calls: number; readonly fate: Fate }[];
}

/** What a running example looks like to whoever shows it. */
export interface Progress {
  readonly seconds: number;
  readonly greeters: Greeters;
  readonly follower: Follower;
  readonly load: Load;
  readonly timeline: Timeline;
}

export interface RunOptions {
  readonly seconds: number;
  readonly signal: AbortSignal;
  /** Called when the load has begun; the result is told of every event and of the end. */
  readonly onStart?: (progress: Progress) => { entry(entry: TimelineEntry): void; end(): void };
}

/** Processes that start at once on a busy machine. */
const START_MS = 30_000;
const FIRST_SERVERS = 2;

/** Whatever happens, Consul and the servers are gone when it returns or throws. */
export async function runExample(options: RunOptions): Promise<Report> {
  const { signal } = options;
  const consul = await startConsul({ signal });
  try {
    const greeters = new Greeters(consul.httpAddress);
    const follower = followGreeter(consul.httpAddress);
    try {
      for (let count = 0; count < FIRST_SERVERS; count += 1) greeters.start();
      follower.channel.getConnectivityState(true);
      const areReady = () =>
        follower.channel.endpoints().filter(({ state }) => state === "READY").length === FIRST_SERVERS;
      await until(areReady, "the start of the first servers", { greeters, signal, withinMs: START_MS });
      return await follow(consul, greeters, follower, options);
    } finally {
      // Servers first: calls that hang on one then end, and the close need not wait for them.
      await greeters.stop();
      await follower.channel.close({ drainMs: 0 });
    }
  } finally {
    await consul.stop();
  }
}

async function follow(
  consul: Awaited<ReturnType<typeof startConsul>>,
  greeters: Greeters,
  follower: Follower,
  { seconds, signal, onStart }: RunOptions,
): Promise<Report> {
  let show: ReturnType<NonNullable<RunOptions["onStart"]>> | undefined;
  const timeline = new Timeline((entry) => show?.entry(entry));
  const load = new Load(follower.greeter);
  show = onStart?.({ seconds, greeters, follower, load, timeline });
  const news = noteNews(follower, timeline);
  try {
    await play({ consul, greeters, follower, load, timeline, signal }, seconds);
    const ranMs = timeline.nowMs;
    timeline.note("the load ends");
    show?.end();
    const report = await abortable(load.finish(), signal);
    return {
      ...report,
      seconds: Math.round(ranMs / 100) / 10,
      timeline: timeline.entries,
      servers: greeters.all.map(({ id, fate }) => ({ id, fate, calls: load.answersOf(id) })),
    };
  } finally {
    news[Symbol.dispose]();
    load.stop();
    show?.end();
  }
}

/** What the client hears from Consul, and does not. */
function noteNews({ channel }: Follower, timeline: Timeline): Disposable {
  let isStale = false;
  return channel.onEvent((event) => {
    if (event.type === "resolver.failed" && !isStale) {
      isStale = true;
      timeline.note(`the client cannot reach Consul, and keeps ${event.keptEndpoints} endpoints`);
    } else if (event.type === "resolver.held") {
      timeline.note(`the client does not believe yet that ${event.endpoints.length} endpoints are gone`);
    } else if (event.type === "resolver.endpoints") {
      isStale = false;
      timeline.note(
        `the client: ${event.added.length} added, ${event.removed.length} removed, ${event.total} in use`,
      );
    }
  });
}
