/** What is known of one source of endpoints; plain data, ready for JSON. */
export interface SourceStats {
  /** The target, or `updateEndpoints` for a set that was pushed by hand. */
  readonly source: string;
  /** Endpoints in use that it gave. */
  readonly endpoints: number;
  /** Its answers and failures since it was started. */
  readonly answers: number;
  readonly failures: number;
  /** When it answered last; null before its first answer. */
  readonly answeredAt: string | null;
  /** Since when it has not answered, though asked; its last good set is in use. Null while it answers. */
  readonly staleSince: string | null;
  readonly lastError: { readonly text: string; readonly at: string } | null;
  /** What of its newest answer is of no use and left out; null where all of it is used. */
  readonly problem: string | null;
  /** Endpoints that its newest answer would take away, and that stay in use until that is confirmed; null for none. */
  readonly held: {
    readonly why: "empty" | "shrink";
    readonly endpoints: number;
    readonly since: string;
  } | null;
}
