import type { Candidate, PickFilter } from "../pool/index.js";

/** Endpoints that a call has failed on: its next attempt avoids them while another one is usable. */
export class TriedEndpoints implements PickFilter<Candidate> {
  readonly #addresses = new Set<string>();

  add(address: string): void {
    this.#addresses.add(address);
  }

  accepts({ endpoint }: Candidate): boolean {
    return !this.#addresses.has(endpoint.address);
  }
}
