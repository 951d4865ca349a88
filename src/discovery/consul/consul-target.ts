import { type ConsulTarget, type InvalidTarget, refuse, type SplitTarget } from "../target-kinds.js";

/** Reads `consul://host:8500/service?tag=...&dc=...`. */
export function parseConsulTarget(_split: SplitTarget, target: string): ConsulTarget | InvalidTarget {
  return refuse(`the target ${JSON.stringify(target)} cannot be read yet`);
}
