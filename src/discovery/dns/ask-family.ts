/** What one way of asking says of a host. */
export interface FamilyAnswer {
  readonly addresses: readonly string[];
  /** How long they may be kept, in milliseconds; null where nobody says. */
  readonly ttlMs: number | null;
}

/** Asks for a host, or for one of its families of addresses. */
export type AskFamily = (host: string) => Promise<FamilyAnswer>;
