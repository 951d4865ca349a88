import { setTimeout as sleep } from "node:timers/promises";
import { summariseCalls } from "../faults/call-log.js";
import { LoadStage } from "./load-stage.js";
import type { BreakableConsul, OutageKind } from "./outage-kinds.js";

/** What an outage of Consul came to for a client that follows it. */
export interface OutageResult {
  readonly title: string;
  /** How long Consul was away. */
  readonly seconds: number;
  /** From before the outage until all is well again. */
  readonly calls: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  /** From its beginning until `stats()` told that Consul does not answer; null where it never did. */
  readonly staleMs: number | null;
  /** Put to Consul while it was away. */
  readonly questions: number;
  /** From its end to the next answer. */
  readonly backMs: number;
  /** From Consul's answer to the first call of a server that was added afterwards. */
  readonly usedMs: number;
  /** The longest that the bench itself was held up, in ms. */
  readonly mostLateMs: number;
}

const SERVERS = 3;
const ENTRY = { tags: [], weight: 1 } as const;
const LOOK_MS = 10;
/** Longer than any pause between two questions: the backoff ends at 30 s and a fifth. */
const GIVE_UP_MS = 45_000;

/** Servers in Consul and 200 calls a second, while Consul is away and afterwards. */
export async function runOutage(kind: OutageKind, calmMs: number): Promise<OutageResult> {
  const consul = await kind.start();
  try {
    const stage = await LoadStage.start({ consul: consul.node, discovery: kind.discovery });
    try {
      return await play(stage, consul, kind, calmMs);
    } finally {
      await stage.close();
    }
  } finally {
    await consul.stop();
  }
}

async function play(
  stage: LoadStage,
  consul: BreakableConsul,
  kind: OutageKind,
  calmMs: number,
): Promise<OutageResult> {
  const { fleet, log, channel, proxy, calls } = stage;
  const members = await fleet.start(SERVERS);
  await fleet.announce(members, ENTRY);
  calls.start();
  await log.used(members.map(({ address }) => address));
  await sleep(calmMs);

  const from = performance.now();
  let staleAt: number | null = null;
  const look = setInterval(() => {
    if (channel.stats().discovery[0]?.staleSince) staleAt ??= performance.now();
  }, LOOK_MS);
  let to: number;
  let backAt: number;
  try {
    await consul.break();
    await sleep(Math.max(0, from + kind.lastsMs - performance.now()));
    to = performance.now();
    await consul.mend();
    backAt = await answeredAgain(stage, from, to);
  } finally {
    clearInterval(look);
  }
  const added = await fleet.start(1);
  const since = performance.now();
  await fleet.announce(kind.isForgetful ? [...members, ...added] : added, ENTRY);
  const address = added[0]?.address ?? "";
  await log.used([address]);
  await sleep(calmMs);
  await calls.stop();

  const { calls: count, failed, failures } = summariseCalls(stage.ended, { from, to }, to);
  return {
    title: kind.title,
    seconds: (to - from) / 1_000,
    calls: count,
    failed,
    failures,
    staleMs: staleAt === null ? null : staleAt - from,
    questions: proxy.questions.filter(({ askedAt }) => askedAt >= from && askedAt < to).length,
    backMs: backAt - to,
    usedMs: (log.use(address)?.usedAt ?? Number.NaN) - (proxy.firstWith(address, since) ?? Number.NaN),
    mostLateMs: calls.mostLateMs,
  };
}

/**
 * When Consul answered after the outage: at once where nobody noticed that it was away, and the question that it met has
 * gone on waiting.
 */
async function answeredAgain({ proxy, channel }: LoadStage, from: number, to: number): Promise<number> {
  for (const giveUpAt = performance.now() + GIVE_UP_MS; performance.now() < giveUpAt; await sleep(LOOK_MS)) {
    if (channel.stats().discovery[0]?.staleSince) continue;
    const answer = proxy.questions.find(
      ({ answeredAt, status }) => answeredAt !== null && answeredAt >= to && status === 200,
    );
    if (answer !== undefined) return answer.answeredAt ?? Number.NaN;
    const isWaiting = proxy.questions.some(
      ({ askedAt, answeredAt }) => askedAt < from && answeredAt === null,
    );
    if (isWaiting && proxy.questions.every(({ askedAt }) => askedAt < from)) return to;
  }
  return Number.NaN;
}
