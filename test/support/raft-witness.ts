import type { LogEntry } from "../../src/raft-peer/index.js";

/** Watches the nodes of a Raft cluster and notes whatever Raft promises never happens. */
export class RaftWitness {
  /** Broken promises, as text; empty in the end. */
  readonly violations: string[] = [];
  readonly #leaders = new Map<number, number>();
  /** What the present process of each node has applied, from index 1. */
  readonly #applied = new Map<number, number>();
  /** The longest that any node has applied. */
  readonly #history: LogEntry[] = [];

  /** A process begins, and applies its log from the start. */
  started(id: number): void {
    this.#applied.set(id, 0);
  }

  roleTaken(id: number, { role, term }: { readonly role: string; readonly term: number }): void {
    if (role !== "Leader") return;
    const other = this.#leaders.get(term);
    if (other !== undefined && other !== id)
      this.violations.push(`nodes ${other} and ${id} both lead in term ${term}`);
    this.#leaders.set(term, id);
  }

  applied(id: number, entry: LogEntry): void {
    const index = (this.#applied.get(id) ?? 0) + 1;
    this.#applied.set(id, index);
    if (entry.index !== index) this.violations.push(`node ${id} applied ${entry.index} out of order`);
    const first = this.#history[entry.index - 1];
    if (first === undefined) this.#history.push(entry);
    else if (first.term !== entry.term || Buffer.compare(first.command, entry.command) !== 0)
      this.violations.push(`node ${id} applied another entry ${entry.index} than the first that did`);
  }

  stopped(id: number, error: Error): void {
    this.violations.push(`node ${id} stopped: ${error.message}`);
  }
}
