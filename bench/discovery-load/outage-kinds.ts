import { type ConsulNode, startConsul, startConsulCluster } from "../../scripts/consul-cluster.mjs";
import type { DiscoveryOptions } from "../../src/index.js";

/** A real Consul that can be broken. */
export interface BreakableConsul {
  /** At which servers register, and which the client asks. */
  readonly node: ConsulNode;
  break(): Promise<void>;
  /** Resolves once it serves again. */
  mend(): Promise<void>;
  stop(): Promise<void>;
}

/** What befalls Consul, and for how long. */
export interface OutageKind {
  readonly title: string;
  readonly lastsMs: number;
  /** Where it comes back without what it knew, by which servers have to register again. */
  readonly isForgetful: boolean;
  readonly discovery: DiscoveryOptions;
  start(): Promise<BreakableConsul>;
}

export const OUTAGES = {
  killed: {
    title: "killed, back empty",
    lastsMs: 15_000,
    isForgetful: true,
    discovery: {},
    async start() {
      const agent = await startConsul();
      return {
        node: agent,
        break: () => agent.kill(),
        async mend() {
          agent.restart();
          await agent.waitReady();
        },
        stop: () => agent.stop(),
      };
    },
  },
  frozen: {
    title: "frozen",
    lastsMs: 30_000,
    isForgetful: false,
    // A silent Consul is noticed when it has been waited for: by default after more than a minute.
    discovery: { consul: { waitMs: 10_000 } },
    async start() {
      const agent = await startConsul();
      return {
        node: agent,
        break: async () => agent.freeze(),
        async mend() {
          agent.thaw();
          await agent.waitReady();
        },
        stop: () => agent.stop(),
      };
    },
  },
  leader: {
    title: "leader of 3 killed",
    lastsMs: 5_000,
    isForgetful: false,
    discovery: {},
    async start() {
      const cluster = await startConsulCluster();
      const leader = await cluster.waitForLeader();
      return {
        node: cluster.nodes.find((node) => node !== leader) as ConsulNode,
        break: () => leader.kill(),
        mend: async () => void (await cluster.waitForLeader()),
        stop: () => cluster.stop(),
      };
    },
  },
} as const satisfies Record<string, OutageKind>;

export type OutageName = keyof typeof OUTAGES;
export const OUTAGE_NAMES = Object.keys(OUTAGES) as readonly OutageName[];
