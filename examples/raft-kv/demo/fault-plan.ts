import type { Random } from "holdfast";

/** `kill`: SIGKILL and a restart with the old disk. `freeze`: SIGSTOP and SIGCONT. `partition`: cut off from the others. */
export type FaultKind = "kill" | "freeze" | "partition";

export interface PlannedFault {
  readonly kind: FaultKind;
  /** Not before this, in milliseconds since the load began. */
  readonly atMs: number;
  readonly lastsMs: number;
  /** Of a partition: the client loses the node as well. */
  readonly cutsClient: boolean;
}

const KINDS: readonly FaultKind[] = ["kill", "freeze", "partition"];
/** Room that one fault takes, recovery included, as soon as there is enough for all three kinds. */
const SLOT_MS = 8_000;
/** Quiet time before the first fault, as a share of the run. */
const CALM_SHARE = 0.08;
/** Longer than the longest election timeout of the demo's nodes, or a fault could pass unnoticed. */
const SHORTEST_MS = 1_200;
const LONGEST_MS = 6_000;

/** What befalls the leader, chosen by chance alone: each kind once in an order of its own, then any as often as they fit. */
export function planFaults(seconds: number, random: Random): PlannedFault[] {
  const ms = seconds * 1_000;
  const calmMs = CALM_SHARE * ms;
  const count = Math.max(KINDS.length, Math.floor((ms - calmMs) / SLOT_MS));
  const slotMs = (ms - calmMs) / count;
  const kinds = shuffled(KINDS, random);
  return Array.from({ length: count }, (_, index) => ({
    kind: kinds[index] ?? pick(KINDS, random),
    atMs: Math.round(calmMs + slotMs * (index + 0.15 * random.next())),
    lastsMs: Math.round(Math.min(LONGEST_MS, Math.max(SHORTEST_MS, slotMs * (0.3 + 0.2 * random.next())))),
    cutsClient: random.next() < 0.5,
  }));
}

function pick<T>(from: readonly T[], random: Random): T {
  return from[Math.floor(random.next() * from.length)]!;
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(random.next() * left.length), 1)[0]!);
}
