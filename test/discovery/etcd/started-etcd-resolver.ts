import type { ChannelFactory } from "../../../src/core/index.js";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { etcdResolver } from "../../../src/discovery/etcd/etcd-resolver.js";
import { parseTarget } from "../../../src/discovery/target.js";
import type { EtcdTarget } from "../../../src/discovery/target-kinds.js";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { RecordingListener } from "../recording-listener.js";
import { FakeEtcd } from "./fake-etcd.js";

/** A value as etcd's naming for Go writes it. */
export function goValue(address: string, metadata: unknown = null): string {
  return JSON.stringify({ Op: 0, Addr: address, Metadata: metadata });
}

export function etcdTarget(text = "etcd://127.0.0.1:2379/users"): EtcdTarget {
  const target = parseTarget(text);
  if (!target.ok || target.scheme !== "etcd") throw new Error(`${text} is no etcd target`);
  return target;
}

/** A resolver of `etcd://127.0.0.1:2379/users`, where one server is registered, without jitter. */
export function makeEtcdResolver(options = {}, openChannel?: ChannelFactory) {
  const clock = new ManualClock();
  const etcd = new FakeEtcd(clock);
  etcd.change({ "users/1": goValue("10.0.0.1:50051") });
  const random = fixedRandom(0.5);
  const deps = {
    clock,
    random,
    lookup: async () => [],
    env: {},
    openChannel: openChannel ?? etcd.openChannel,
  };
  const resolver = etcdResolver(etcdTarget(), deps, discoveryOptionsSchema.parse(options));
  return { clock, etcd, resolver, listener: new RecordingListener() };
}

/** The same, started, after it had the chance to read and to set up its watch. */
export async function startedEtcdResolver(options = {}, prepare: (etcd: FakeEtcd) => void = () => {}) {
  const made = makeEtcdResolver(options);
  prepare(made.etcd);
  made.resolver.start(made.listener);
  await made.clock.advance(0);
  return made;
}
