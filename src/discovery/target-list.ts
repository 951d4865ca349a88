import { datacentresOf } from "./consul/consul-target.js";
import { parseTarget } from "./target.js";
import type { InvalidTarget, PassthroughTarget, ResolvedTarget } from "./target-kinds.js";
import { refuse } from "./target-kinds.js";

/** What a channel is made for: one target, or several in order of preference. */
export interface TargetList {
  readonly ok: true;
  /** The one spelling of all of them, which the channel goes by. */
  readonly canonical: string;
  /** At least one, none twice; a passthrough stands alone. Datacentres of Consul to fail over to are targets of their own. */
  readonly targets: readonly [PassthroughTarget] | readonly ResolvedTarget[];
}

/** Reads what was given as the target of a channel: one or a list. Never throws; all problems come at once. */
export function parseTargets(given: string | readonly unknown[]): TargetList | InvalidTarget {
  const texts = typeof given === "string" ? [given] : given;
  if (texts.length === 0) return refuse("the list of targets is empty; write one or more");
  const problems: string[] = [];
  const targets = new Map<string, PassthroughTarget | ResolvedTarget>();
  for (const [place, text] of texts.entries()) {
    const at = typeof given === "string" ? "" : `target ${place + 1} of the list: `;
    if (typeof text !== "string") {
      problems.push(
        `${at}it is ${text === null ? "null" : typeof text}; allowed: a string such as dns:///host:port`,
      );
      continue;
    }
    const parsed = parseTarget(text);
    if (!parsed.ok) {
      problems.push(...parsed.problems.map((problem) => at + problem));
      continue;
    }
    if (targets.has(parsed.canonical)) problems.push(`${at}${parsed.canonical} is there twice`);
    targets.set(parsed.canonical, parsed);
  }
  const all = [...targets.values()];
  const resolved = all.filter((target) => target.scheme !== "passthrough");
  const [first] = all;
  if (all.length > 1 && resolved.length < all.length) {
    problems.push(
      "passthrough: stands alone, as grpc-js then chooses the servers; leave it or the others out",
    );
  }
  if (problems.length > 0 || first === undefined) return refuse(...problems);
  const canonical = all.map((target) => target.canonical).join(", ");
  if (first.scheme === "passthrough") return { ok: true, canonical, targets: [first] };
  return { ok: true, canonical, targets: expanded(resolved) };
}

/** A target for each datacentre of Consul, each resolved by itself. One that is written out as well is there once. */
function expanded(targets: readonly ResolvedTarget[]): readonly ResolvedTarget[] {
  const all = new Map<string, ResolvedTarget>();
  for (const target of targets) {
    for (const one of target.scheme === "consul" ? datacentresOf(target) : [target])
      if (!all.has(one.canonical)) all.set(one.canonical, one);
  }
  return [...all.values()];
}
