import type { Endpoint } from "../core/index.js";
import type { ResolverListener } from "./resolver.js";

type GateState =
  | { readonly kind: "new" }
  | { readonly kind: "open"; readonly listener: ResolverListener }
  | { readonly kind: "closed" };

/**
 * What every resolver owes its listener: nothing before the start, nothing after the close, no second start. Kept apart
 * so that no resolver can forget one of them.
 */
export class ListenerGate {
  #state: GateState = { kind: "new" };
  readonly #target: string;

  constructor(target: string) {
    this.#target = target;
  }

  get isOpen(): boolean {
    return this.#state.kind === "open";
  }

  /** @throws Error when it was opened or closed before. */
  open(listener: ResolverListener): void {
    if (this.#state.kind !== "new") {
      const past = this.#state.kind === "open" ? "has been started" : "is closed";
      throw new Error(`the resolver of ${this.#target} ${past} and cannot be started; make a new one`);
    }
    this.#state = { kind: "open", listener };
  }

  close(): void {
    this.#state = { kind: "closed" };
  }

  endpoints(endpoints: readonly Endpoint[], problem: string | null = null): void {
    if (this.#state.kind === "open") this.#state.listener.onEndpoints(endpoints, problem);
  }

  error(error: Error): void {
    if (this.#state.kind === "open") this.#state.listener.onError(error);
  }
}
