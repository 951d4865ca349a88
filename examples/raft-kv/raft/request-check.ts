import type { AppendEntriesRequest } from "holdfast";
import { RequestRefused } from "../request-refused.js";

/** Where a node stands in its cluster. */
interface Membership {
  readonly me: number;
  readonly peers: readonly unknown[];
}

/** @throws RequestRefused when no other member of this cluster can have sent it: a wrong address list, most likely */
export function checkSender(field: string, sender: number, { me, peers }: Membership): void {
  if (Number.isInteger(sender) && sender >= 0 && sender < peers.length && sender !== me) return;
  throw RequestRefused.invalid(
    `${field} is ${sender}; allowed: a position in the list of ${peers.length} servers other than ${me}`,
  );
}

/** @throws RequestRefused when the entries do not follow each other, which would corrupt the log */
export function checkEntries({ prevLogIndex, entries }: AppendEntriesRequest): void {
  const wrong = entries.findIndex((entry, position) => entry.index !== prevLogIndex + 1 + position);
  if (wrong < 0) return;
  throw RequestRefused.invalid(
    `entries[${wrong}].index is ${entries[wrong]?.index}; allowed: ${prevLogIndex + 1 + wrong}, ` +
      "for entries follow prevLogIndex one by one",
  );
}
