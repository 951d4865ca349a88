import { onTestFinished } from "vitest";
import type { Endpoint } from "../../../src/core/index.js";
import { ConsulResolver } from "../../../src/discovery/consul/consul-resolver.js";
import { type DiscoveryOptions, discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { systemLookup } from "../../../src/discovery/index.js";
import { parseTarget } from "../../../src/discovery/target.js";
import type { ConsulTarget } from "../../../src/discovery/target-kinds.js";
import { until } from "../../support/event-loop.js";
import { FakeConsul } from "../../support/fake-consul.js";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { noChannel } from "../no-channel.js";
import { RecordingListener } from "../recording-listener.js";

/** Keeps what a resolver reported, and waits for more where it comes through a socket. */
export class AwaitingListener extends RecordingListener {
  /** What came after what. */
  readonly order: ("set" | "error")[] = [];

  override onEndpoints(endpoints: readonly Endpoint[], problem?: string | null): void {
    this.order.push("set");
    super.onEndpoints(endpoints, problem);
  }

  override onError(error: Error): void {
    this.order.push("error");
    super.onError(error);
  }

  /** Waits until so many sets and errors have come. */
  heard(count: number): Promise<void> {
    return until(() => this.events >= count, `event ${count} of the resolver`);
  }

  get newest(): readonly Endpoint[] {
    return this.sets.at(-1) ?? [];
  }
}

/** @throws Error when it is no good target of Consul */
export function consulTarget(text: string): ConsulTarget {
  const parsed = parseTarget(text);
  if (parsed.ok && parsed.scheme === "consul") return parsed;
  throw new Error(parsed.ok ? `${text} is of ${parsed.scheme}` : parsed.problems.join("; "));
}

export interface ConsulSetting {
  /** Behind the service in the target, with its question mark. */
  readonly query?: string;
  readonly options?: DiscoveryOptions;
  readonly env?: Record<string, string | undefined>;
}

/** A resolver of the service `web`; its backoff rolls no jitter. */
export function makeConsulResolver(
  fake: { readonly port: number },
  clock: ManualClock,
  setting: ConsulSetting = {},
) {
  const { query = "", options = {}, env = {} } = setting;
  const target = consulTarget(`consul://127.0.0.1:${fake.port}/web${query}`);
  const deps = { clock, random: fixedRandom(0.5), lookup: systemLookup, env, openChannel: noChannel };
  return new ConsulResolver(target, deps, discoveryOptionsSchema.parse(options));
}

/** A fake Consul that knows one instance of `web`, and a resolver that is not started. */
export async function fakeConsul(setting: ConsulSetting = {}) {
  const clock = new ManualClock();
  const fake = await FakeConsul.start(clock);
  fake.set("web", [{ id: "w1", address: "10.0.0.1", port: 80 }]);
  const resolver = makeConsulResolver(fake, clock, setting);
  onTestFinished(() => resolver.close());
  return { clock, fake, resolver, listener: new AwaitingListener() };
}

/** The same, started, after its first answer or failure; the next question has not been asked. */
export async function startedConsul(
  setting: ConsulSetting = {},
  prepare: (fake: FakeConsul) => void = () => {},
) {
  const { clock, fake, resolver, listener } = await fakeConsul(setting);
  prepare(fake);
  resolver.start(listener);
  await listener.heard(1);
  return { clock, fake, resolver, listener };
}

/** The same, once its first blocking question is out. */
export async function watchingConsul(setting: ConsulSetting = {}) {
  const started = await startedConsul(setting);
  await started.clock.advance(1_000);
  await started.fake.holding();
  return started;
}
