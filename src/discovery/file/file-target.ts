import { type FileTarget, type InvalidTarget, refuse, type SplitTarget } from "../target-kinds.js";

/** Reads `file:///path.yaml`. */
export function parseFileTarget(_split: SplitTarget, target: string): FileTarget | InvalidTarget {
  return refuse(`the target ${JSON.stringify(target)} cannot be read yet`);
}
