type RequestKind = "command" | "probe";

/** When a client handed requests to its channels. */
export class RequestLog {
  #requests: { readonly kind: RequestKind; readonly atMs: number }[] = [];

  /** A request goes out now. */
  note(kind: RequestKind): void {
    this.#requests.push({ kind, atMs: performance.now() });
  }

  /** Requests of a kind from one instant to another. */
  count(kind: RequestKind, fromMs: number, toMs: number): number {
    return this.#requests.filter(
      (request) => request.kind === kind && request.atMs >= fromMs && request.atMs <= toMs,
    ).length;
  }

  /** What was before interests nobody any more. */
  forget(): void {
    this.#requests = [];
  }
}
