import type { HardenOptions } from "../../src/index.js";
import type { FaultStage } from "./fault-stage.js";

/** What is promised for a fault, and printed as a target. */
export interface FaultTargets {
  /** Idempotent calls of ours that may fail; absent where no client could do without. */
  readonly failed?: number;
  /** p99 of our calls begun during the fault, in ms: twice the attempt's limit. */
  readonly p99Ms?: number;
  /** Attempts that may reach the broken endpoint once we know of it. */
  readonly afterDetection?: number;
  /** From the end of the fault, or from the first call, to the first call that succeeds, in ms. */
  readonly recoveryMs?: number;
}

/** Something that befalls servers or the network, for a while. */
export interface FaultKind {
  readonly title: string;
  /** Clients know the servers themselves, not the proxies before them. */
  readonly isDirect: boolean;
  readonly lastsMs: number;
  /** Calls are made before the fault, then none until it has begun. */
  readonly isIdle?: true;
  /** Every endpoint is broken. */
  readonly isTotal?: true;
  /** What our client has that is not its default. */
  readonly options?: Partial<HardenOptions>;
  readonly targets: FaultTargets;
  begin(stage: FaultStage): void | Promise<void>;
  end(stage: FaultStage): void | Promise<void>;
}

const LASTS_MS = 6_000;
const ALL_DOWN_MS = 4_000;
const RESET_EVERY_MS = 200;
const FLAP_EVERY_MS = 200;
const STALL_BYTES = 4_096;
const SMOOTH = { failed: 0, p99Ms: 500 };
/** The longest wait for a redial by default, with its jitter. */
const RECONNECT_CAP_MS = 6_000;
/** What grpc-js with a retryPolicy, and nice-grpc, take with a keepalive of a second. */
const PEERS_IDLE_MS = 2_000;

const pass = (stage: FaultStage): Promise<void> => stage.proxy.pass();

/** One row each, in the order of the table; by the name that `--only` takes. */
export const FAULTS = {
  killed: {
    title: "killed, then restarted",
    isDirect: true,
    lastsMs: LASTS_MS,
    targets: { ...SMOOTH, afterDetection: 0 },
    begin: (stage) => stage.server.kill(),
    end: (stage) => stage.revive(),
  },
  frozen: {
    title: "frozen",
    isDirect: true,
    lastsMs: LASTS_MS,
    targets: { ...SMOOTH, afterDetection: 0 },
    begin: (stage) => stage.server.freeze(),
    end: (stage) => stage.server.thaw(),
  },
  "black-hole": {
    title: "black hole",
    isDirect: false,
    lastsMs: LASTS_MS,
    targets: { ...SMOOTH, afterDetection: 0 },
    begin: (stage) => stage.proxy.blackHole(),
    end: pass,
  },
  resets: {
    title: "a reset every 200 ms",
    isDirect: false,
    lastsMs: LASTS_MS,
    targets: SMOOTH,
    begin: (stage) => every(RESET_EVERY_MS, LASTS_MS, () => stage.proxy.resetAll()),
    end: pass,
  },
  stalls: {
    title: "stalls after 4 kB",
    isDirect: false,
    lastsMs: LASTS_MS,
    targets: SMOOTH,
    async begin({ proxy }) {
      await proxy.stallAfterClientBytes(STALL_BYTES);
      // Only new connections are limited.
      proxy.resetAll();
    },
    end: pass,
  },
  flapping: {
    title: "flapping every 200 ms",
    isDirect: false,
    lastsMs: LASTS_MS,
    targets: SMOOTH,
    begin: (stage) => stage.proxy.flap(FLAP_EVERY_MS),
    end: pass,
  },
  slow: {
    title: "ten times slower",
    isDirect: true,
    lastsMs: LASTS_MS,
    targets: SMOOTH,
    begin: (stage) => stage.toggleSlow(),
    end: (stage) => stage.toggleSlow(),
  },
  "slow-avoided": {
    title: "ten times slower, least_latency",
    isDirect: true,
    lastsMs: LASTS_MS,
    options: { loadBalancing: "least_latency" },
    targets: SMOOTH,
    begin: (stage) => stage.toggleSlow(),
    end: (stage) => stage.toggleSlow(),
  },
  "all-down": {
    title: "all down for 4 s",
    isDirect: false,
    lastsMs: ALL_DOWN_MS,
    isTotal: true,
    targets: { recoveryMs: RECONNECT_CAP_MS },
    begin: (stage) => eachProxy(stage, (proxy) => proxy.refuse().then(() => proxy.resetAll())),
    end: (stage) => eachProxy(stage, (proxy) => proxy.pass()),
  },
  idle: {
    title: "all forgotten while idle for 3 s",
    isDirect: false,
    lastsMs: LASTS_MS,
    isIdle: true,
    isTotal: true,
    // By default after a minute, which would be the longest row of the table.
    options: { suspicion: { verifyAfterIdleMs: 1_000 } },
    targets: { failed: 0, recoveryMs: PEERS_IDLE_MS },
    begin: (stage) => eachProxy(stage, async (proxy) => proxy.blackHoleOpen()),
    end: () => {},
  },
} as const satisfies Record<string, FaultKind>;

export type FaultName = keyof typeof FAULTS;
export const FAULT_NAMES = Object.keys(FAULTS) as FaultName[];

function eachProxy(stage: FaultStage, act: (proxy: FaultStage["proxy"]) => Promise<void>): Promise<void> {
  return Promise.all(stage.proxies.map(act)).then(() => {});
}

/** At once, and then so often until it is over. */
function every(everyMs: number, forMs: number, act: () => void): void {
  act();
  const timer = setInterval(act, everyMs);
  setTimeout(() => clearInterval(timer), forMs - everyMs / 2);
}
