import { onTestFinished } from "vitest";
import { createChannel } from "../../../src/call/create-channel.js";
import { channelFactory } from "../../../src/call/rpc-channel.js";
import { type Endpoint, systemClock, systemRandom } from "../../../src/core/index.js";
import { type DiscoveryOptions, discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { etcdRegistrar } from "../../../src/discovery/etcd/etcd-registration.js";
import { etcdResolver } from "../../../src/discovery/etcd/etcd-resolver.js";
import { KeptRegistration } from "../../../src/discovery/registration-keeper.js";
import { serviceOptionsSchema, type TtlCheck } from "../../../src/discovery/registration-options.js";
import { until } from "../../support/event-loop.js";
import { RecordingListener } from "../recording-listener.js";
import { etcdTarget } from "./started-etcd-resolver.js";

export const openChannel = channelFactory((target, options) => createChannel(target, options), systemClock);
/** The real world: time, chance and sockets. */
export const REAL = {
  clock: systemClock,
  random: systemRandom,
  lookup: async () => [],
  env: {},
  openChannel,
};

/** A resolver that follows the target until the end of the test. */
export function following(target: string, options: DiscoveryOptions = {}) {
  const listener = new RecordingListener();
  const resolver = etcdResolver(etcdTarget(target), REAL, discoveryOptionsSchema.parse(options));
  onTestFinished(() => resolver.close());
  resolver.start(listener);
  return { listener, resolver };
}

/** The same, once its watch is up. */
export async function watching(target: string, options: DiscoveryOptions = {}) {
  const made = following(target, options);
  await until(() => made.resolver.isWatching === true, `a watch of ${target}`, 20_000);
  return made;
}

/** A service that is kept registered once it is started, until the end of the test at the latest. */
export function keeping(target: string, address: string, ttlMs = 2_000, options: DiscoveryOptions = {}) {
  const service = serviceOptionsSchema.parse({ address, check: { ttlMs } });
  const check = service.check as TtlCheck;
  const parsed = discoveryOptionsSchema.parse(options);
  const registrar = etcdRegistrar(etcdTarget(target), { ...service, check }, parsed, REAL);
  const registration = new KeptRegistration(registrar, REAL, 5_000);
  const events: string[] = [];
  registration.onEvent(({ type }) => events.push(type));
  onTestFinished(() => registration.close());
  return { registration, events };
}

/** Waits until these are the last set that was reported. */
export function seen(listener: RecordingListener, addresses: readonly string[]): Promise<void> {
  const is = (set: readonly Endpoint[] | undefined) =>
    set?.map(({ address }) => address).join() === addresses.join();
  return until(() => is(listener.sets.at(-1)), `a set of [${addresses}]`, 20_000).catch((error: Error) => {
    throw new Error(`${error.message}: [${listener.addresses.at(-1)}], ${listener.messages.join("; ")}`);
  });
}
