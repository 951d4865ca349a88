import { setTimeout as sleep } from "node:timers/promises";
import { startConsul } from "../../scripts/consul-cluster.mjs";
import type { DiscoveryOptions } from "../../src/index.js";
import { type CallSummary, isWithin, summariseCalls } from "../faults/call-log.js";
import type { Member } from "./fleet.js";
import { LoadStage } from "./load-stage.js";

/** What one change came to. */
export interface ChangeResult {
  readonly title: string;
  readonly calls: number;
  readonly failed: number;
  readonly joined: number;
  /** From Consul's answer to the first call of the slowest that joined; null where none did. */
  readonly usedMs: number | null;
  readonly left: number;
  /** From Consul's answer until the slowest that left was no endpoint any more; null where none did. */
  readonly goneMs: number | null;
}

export interface ChangesResult extends CallSummary {
  readonly changes: readonly ChangeResult[];
  /** Calls that arrived at servers although they had been removed. */
  readonly strayCalls: number;
  /** Calls that arrived at servers whose tag was another one. */
  readonly untaggedCalls: number;
  /** How many times as many calls the server of weight 8 got as that of weight 1. */
  readonly weightRatio: number;
  /** Answers whose loss was too great to be believed at once. */
  readonly held: number;
  readonly questionsPerSecond: number;
  /** Questions to Consul that failed, after which it is less believed for a while. */
  readonly questionsFailed: number;
  readonly seconds: number;
  /** The longest that the bench itself was held up, in ms. */
  readonly mostLateMs: number;
}

export interface ChangesPace {
  /** Calls without any change, between two of them. */
  readonly calmMs: number;
  readonly discovery: DiscoveryOptions;
}

const LIVE = { tags: ["live"], weight: 1 } as const;
const NEXT = { tags: ["next"], weight: 1 } as const;
const OLD = { tags: ["old"], weight: 1 } as const;
const HEAVY = 8;
const GIVE_UP_MS = 20_000;

/** A service through all that an operator does to it, under 200 calls a second. */
export async function runChanges(pace: ChangesPace): Promise<ChangesResult> {
  const consul = await startConsul();
  try {
    const stage = await LoadStage.start({ consul, tag: "live", discovery: pace.discovery });
    try {
      return await new Changes(stage, pace).run();
    } finally {
      await stage.close();
    }
  } finally {
    await consul.stop();
  }
}

class Changes {
  readonly #changes: { readonly title: string; readonly from: number; to: number; timing: Timing }[] = [];
  #members: readonly Member[] = [];
  #untaggedCalls = 0;
  #weightRatio = Number.NaN;

  constructor(
    private readonly stage: LoadStage,
    private readonly pace: ChangesPace,
  ) {}

  async run(): Promise<ChangesResult> {
    const startedAt = performance.now();
    this.stage.calls.start();
    await this.#change("3 servers", (timing) => this.#join(3, timing));
    await this.#change("3 to 9", (timing) => this.#join(6, timing));
    await this.#change("rolling restart of 9", (timing) => this.#restartAll(timing));
    await this.#change("9 to 2", (timing) => this.#leave(this.#members.slice(2), timing));
    await this.#change("weights 1 and 8", () => this.#reweigh());
    await this.#change("tag of 2 and 2 changed", (timing) => this.#retag(timing));
    const endedAt = performance.now();
    await this.stage.calls.stop();
    return this.#result(startedAt, endedAt);
  }

  async #change(title: string, work: (timing: Timing) => Promise<void>): Promise<void> {
    const timing = new Timing(this.stage);
    const change = { title, from: performance.now(), to: Number.POSITIVE_INFINITY, timing };
    this.#changes.push(change);
    await work(timing);
    await sleep(this.pace.calmMs);
    change.to = performance.now();
  }

  async #join(count: number, timing: Timing): Promise<void> {
    const { fleet } = this.stage;
    const members = await fleet.start(count);
    await timing.joining(members, () => fleet.announce(members, LIVE));
    this.#members = [...this.#members, ...members];
  }

  /** In the order of a deployment: out of Consul first, then, when nobody calls any more, down. */
  async #leave(members: readonly Member[], timing: Timing): Promise<void> {
    const { fleet } = this.stage;
    await timing.leaving(members, () => fleet.withdraw(members));
    await fleet.drain(members);
    this.#members = this.#members.filter((member) => !members.includes(member));
  }

  async #restartAll(timing: Timing): Promise<void> {
    for (const member of this.#members) {
      await this.#leave([member], timing);
      await this.#join(1, timing);
    }
  }

  async #reweigh(): Promise<void> {
    const { fleet, channel } = this.stage;
    const [light, heavy] = this.#members as [Member, Member];
    await fleet.announce([heavy], { ...LIVE, weight: HEAVY });
    const isHeavy = () =>
      channel.endpoints().some(({ address, weight }) => address === heavy.address && weight === HEAVY);
    for (const giveUpAt = performance.now() + GIVE_UP_MS; !isHeavy(); await sleep(5)) {
      if (performance.now() > giveUpAt)
        throw new Error(`${heavy.address} has no weight ${HEAVY} after ${GIVE_UP_MS} ms`);
    }
    const before = [light, heavy].map(({ server }) => server.executions.Unary);
    await sleep(Math.max(1_000, this.pace.calmMs));
    const [toLight = 0, toHeavy = 0] = [light, heavy].map(
      ({ server }, at) => server.executions.Unary - (before[at] ?? 0),
    );
    this.#weightRatio = toHeavy / toLight;
    await fleet.announce([heavy], LIVE);
  }

  /** The new servers are there before the old ones go, as in a blue-green deployment. */
  async #retag(timing: Timing): Promise<void> {
    const { fleet } = this.stage;
    const old = this.#members;
    const next = await fleet.start(old.length);
    await fleet.announce(next, NEXT);
    await sleep(this.pace.calmMs);
    this.#untaggedCalls = next.reduce((sum, { server }) => sum + server.executions.Unary, 0);
    await timing.joining(next, () => fleet.announce(next, LIVE));
    await timing.leaving(old, () => fleet.announce(old, OLD));
    this.#members = next;
  }

  #result(startedAt: number, endedAt: number): ChangesResult {
    const { stage } = this;
    const { ended, log, fleet, proxy, calls } = stage;
    const seconds = (endedAt - startedAt) / 1_000;
    const changes = this.#changes.map(({ title, timing, ...span }): ChangeResult => {
      const meanwhile = ended.filter((call) => isWithin(call.startedAt, span));
      const failed = meanwhile.filter(({ failure }) => failure !== null).length;
      return { title, calls: meanwhile.length, failed, ...timing.worst() };
    });
    const strays = fleet.all.map(({ server, address }) => {
      const use = log.use(address);
      return use === undefined || use.removedAt === null
        ? 0
        : Math.max(0, server.executions.Unary - use.picks);
    });
    return {
      ...summariseCalls(ended, { from: startedAt, to: endedAt }, startedAt),
      changes,
      strayCalls: strays.reduce((sum, count) => sum + count, 0),
      untaggedCalls: this.#untaggedCalls,
      weightRatio: this.#weightRatio,
      held: log.held,
      questionsPerSecond: (proxy.questions.length - 1) / seconds,
      questionsFailed: log.failures,
      seconds,
      mostLateMs: calls.mostLateMs,
    };
  }
}

/** How long the client takes to do what Consul has told. */
class Timing {
  readonly #usedMs: number[] = [];
  readonly #goneMs: number[] = [];

  constructor(private readonly stage: LoadStage) {}

  async joining(members: readonly Member[], announce: () => Promise<void>): Promise<void> {
    const { log, proxy } = this.stage;
    const since = performance.now();
    await announce();
    await log.used(members.map(({ address }) => address));
    for (const { address } of members) {
      const usedAt = log.use(address)?.usedAt ?? Number.NaN;
      this.#usedMs.push(usedAt - (proxy.firstWith(address, since) ?? Number.NaN));
    }
  }

  async leaving(members: readonly Member[], withdraw: () => Promise<void>): Promise<void> {
    const { log, proxy } = this.stage;
    const since = performance.now();
    await withdraw();
    await log.removed(members.map(({ address }) => address));
    for (const { address } of members) {
      const removedAt = log.use(address)?.removedAt ?? Number.NaN;
      this.#goneMs.push(removedAt - (proxy.firstWithout(address, since) ?? Number.NaN));
    }
  }

  worst(): Pick<ChangeResult, "joined" | "usedMs" | "left" | "goneMs"> {
    const worstOf = (all: readonly number[]) => (all.length === 0 ? null : Math.max(...all));
    return {
      joined: this.#usedMs.length,
      usedMs: worstOf(this.#usedMs),
      left: this.#goneMs.length,
      goneMs: worstOf(this.#goneMs),
    };
  }
}
