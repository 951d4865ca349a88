/** When a client sent requests. */
export class RequestLog {
  #times: number[] = [];

  /** A request goes out now. */
  readonly note = (): void => {
    this.#times.push(performance.now());
  };

  /** Requests sent from one instant to another. */
  between(fromMs: number, toMs: number): number {
    return this.#times.filter((at) => at >= fromMs && at <= toMs).length;
  }

  /** What was before interests nobody any more. */
  forget(): void {
    this.#times = [];
  }
}
