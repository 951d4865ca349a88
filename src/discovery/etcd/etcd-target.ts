import { type EtcdTarget, type InvalidTarget, refuse, type SplitTarget } from "../target-kinds.js";

/** Reads `etcd://host:2379,host:2379/prefix`. */
export function parseEtcdTarget(_split: SplitTarget, target: string): EtcdTarget | InvalidTarget {
  return refuse(`the target ${JSON.stringify(target)} cannot be read yet`);
}
