import { setTimeout as sleep } from "node:timers/promises";
import { bareClient, ourClient } from "../pool/clients.js";
import { type CallSummary, isWithin, type Span, summariseCalls } from "./call-log.js";
import { EndpointWatch } from "./endpoint-watch.js";
import type { FaultKind } from "./fault-kinds.js";
import { FaultStage } from "./fault-stage.js";
import { PacedCalls } from "./paced-calls.js";

/** What one fault did to both clients, which meet it at the same time. */
export interface FaultResult {
  readonly title: string;
  readonly isTotal: boolean;
  readonly bare: ClientResult;
  readonly ours: OurResult;
  /** The longest that the bench itself was held up, in ms: an attempt's limit passes meanwhile, whatever the server does. */
  readonly mostLateMs: number;
}

export interface ClientResult extends CallSummary {
  /** Calls, or attempts, that went to the broken endpoint while the fault lasted. */
  readonly toBroken: number;
}

export interface OurResult extends ClientResult {
  /** From the beginning of the fault until the endpoint was out of use; null when it never was. */
  readonly detectedMs: number | null;
  /** Attempts that went to it afterwards, while the fault lasted. */
  readonly afterDetection: number;
}

/** What stands around a fault, in ms. */
export interface FaultPace {
  /** Calls without any fault. */
  readonly calmMs: number;
  /** No calls at all, where the fault is met idle. Pauses are seen with the tick of a second that looks after a channel. */
  readonly idleMs: number;
  /** Calls when it is over. */
  readonly afterMs: number;
}

const PACE: FaultPace = { calmMs: 2_000, idleMs: 3_000, afterMs: 1_500 };
const OURS = { timeoutMs: 2_000, attemptTimeoutMs: 250 } as const;

/** Both clients through one fault, on servers of its own. */
export async function runFault(kind: FaultKind, pace = PACE): Promise<FaultResult> {
  const stage = await FaultStage.start();
  const addresses = stage.addresses(kind.isDirect);
  const broken = addresses[0] as string;
  const bare = bareClient(addresses);
  const ours = ourClient("ours", addresses, { ...OURS, ...kind.options });
  const watch = new EndpointWatch(broken);
  ours.stub.getChannel().onEvent((event) => watch.hear(event));
  const calls = new PacedCalls([bare, ours]);
  try {
    const fault = await play(kind, pace, stage, calls);
    const bareLog = calls.logOf(bare);
    const recoversAt = kind.isIdle === true ? fault.from : fault.to;
    const detectedAt = watch.detectedIn(fault);
    return {
      title: kind.title,
      isTotal: kind.isTotal === true,
      mostLateMs: calls.mostLateMs,
      bare: {
        ...summariseCalls(bareLog, fault, recoversAt),
        toBroken: bareLog.filter(({ peer, startedAt }) => peer === broken && isWithin(startedAt, fault))
          .length,
      },
      ours: {
        ...summariseCalls(calls.logOf(ours), fault, recoversAt),
        toBroken: watch.picksIn(fault),
        detectedMs: detectedAt === null ? null : detectedAt - fault.from,
        afterDetection: detectedAt === null ? 0 : watch.picksIn({ from: detectedAt, to: fault.to }),
      },
    };
  } finally {
    bare.close();
    ours.close();
    await stage.close();
  }
}

/** Calm, fault, and some time after it. @returns when the fault began and ended */
async function play(kind: FaultKind, pace: FaultPace, stage: FaultStage, calls: PacedCalls): Promise<Span> {
  const isIdle = kind.isIdle === true;
  try {
    calls.start();
    await sleep(pace.calmMs);
    if (isIdle) await calls.stop();
    if (isIdle) await sleep(pace.idleMs);
    const from = performance.now();
    await kind.begin(stage);
    if (isIdle) calls.start();
    await sleep(Math.max(0, from + kind.lastsMs - performance.now()));
    const to = performance.now();
    await kind.end(stage);
    await sleep(pace.afterMs);
    return { from, to };
  } finally {
    await calls.stop();
  }
}
