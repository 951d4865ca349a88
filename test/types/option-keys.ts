/** A key that is misspelt does not compile, at any depth; options that are right do. */
import {
  breakerInterceptor,
  type CallSettings,
  type ChannelOptions,
  type ClerkOptions,
  callOptions,
  createChannel,
  type HardenOptions,
  type RaftPeerOptions,
  type ReadyOptions,
  retryInterceptor,
} from "holdfast";
import { use } from "./expect.js";

export function misspelt(): void {
  // @ts-expect-error: attemptTimeoutMs
  createChannel("a:1", { insecure: true, attemptTimeoutMS: 5 });
  // @ts-expect-error: size
  createChannel("a:1", { insecure: true, breaker: { count: { sise: 5 } } });
  // @ts-expect-error: stdevFactor
  createChannel("a:1", { insecure: true, outlierEjection: { successRate: { stDevFactor: 5 } } });
  // @ts-expect-error: initialMs
  createChannel("a:1", { insecure: true, methods: { "a.B/C": { retry: { backoff: { initialMS: 5 } } } } });
  // @ts-expect-error: subsetSize
  const subsetting: ChannelOptions = { subsetting: { policy: "random_subsetting", size: 5 } };
  // @ts-expect-error: serviceName
  const health: ChannelOptions = { health: { servicename: "" } };
  // @ts-expect-error: caFile
  const tls: HardenOptions = { tls: { cafile: "ca.pem" } };
  // @ts-expect-error: delayMs
  callOptions({ hedging: { delay: 5 } });
  // @ts-expect-error: hashKey
  const call: CallSettings = { hashkey: "a" };
  // @ts-expect-error: timeoutMs
  const ready: ReadyOptions = { timeout: 5 };
  // @ts-expect-error: initialIntervalMs
  const clerk: ClerkOptions = { servers: ["a:1"], probe: { intervalMs: 5 } };
  // @ts-expect-error: timeMs
  const peer: RaftPeerOptions = { channel: { keepalive: { timeMs: 5, time: 5 } } };
  // @ts-expect-error: per
  breakerInterceptor({ scope: "method" });
  // @ts-expect-error: maxAttempts
  retryInterceptor({ methods: { "a.B": { retry: { attempts: 5 } } } });
  use(subsetting, health, tls, call, ready, clerk, peer);
}

export function right(): void {
  const channel: ChannelOptions = {
    insecure: true,
    breaker: { count: { size: 5 }, slowCalls: { slowerThanMs: 5 }, scope: "method" },
    outlierEjection: { successRate: { stdevFactor: 5 }, failurePercentage: {} },
    health: { serviceName: "", probe: () => true },
    tls: { caFile: "ca.pem", cert: "" },
    subsetting: { policy: "deterministic_subsetting", subsetSize: 5, clientIndex: 0 },
    retry: { backoff: { initialMs: 5 }, throttle: false },
    methods: { "a.B/C": { retry: { backoff: { initialMs: 5 } }, hedging: false } },
    keepalive: { timeMs: 5 },
  };
  const clerk: ClerkOptions = { servers: ["a:1"], probe: { initialIntervalMs: 5 }, channel: { zone: "a" } };
  const peer: RaftPeerOptions = { channel: { keepalive: { timeMs: 5 } } };
  breakerInterceptor({ per: "method", count: {} });
  retryInterceptor({ maxAttempts: 5, methods: { "a.B": { retry: { maxAttempts: 5 } } } });
  use(channel, clerk, peer);
}
