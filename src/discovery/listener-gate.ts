import type { Endpoint } from "../core/index.js";
import type { ResolverListener } from "./resolver.js";

type GateState =
  | { readonly kind: "new" }
  | { readonly kind: "open"; readonly listener: ResolverListener; readonly lastSet: string | null }
  | { readonly kind: "closed" };

/**
 * What every resolver owes its listener: nothing before the start, nothing after the close, no answer twice in a
 * row. Kept apart so that no resolver can forget one of them.
 */
export class ListenerGate {
  #state: GateState = { kind: "new" };
  readonly #target: string;

  constructor(target: string) {
    this.#target = target;
  }

  /** @throws Error when it was opened or closed before. */
  open(listener: ResolverListener): void {
    if (this.#state.kind !== "new") {
      const past = this.#state.kind === "open" ? "has been started" : "is closed";
      throw new Error(`the resolver of ${this.#target} ${past} and cannot be started; make a new one`);
    }
    this.#state = { kind: "open", listener, lastSet: null };
  }

  close(): void {
    this.#state = { kind: "closed" };
  }

  /** Passes the set on unless it equals the last one; order does not count, as DNS servers rotate their answers. */
  endpoints(endpoints: readonly Endpoint[]): void {
    const state = this.#state;
    if (state.kind !== "open") return;
    const lastSet = setKey(endpoints);
    if (lastSet === state.lastSet) return;
    // Before the call: the listener may close us, or throw.
    this.#state = { ...state, lastSet };
    state.listener.onEndpoints(endpoints);
  }

  error(error: Error): void {
    if (this.#state.kind === "open") this.#state.listener.onError(error);
  }
}

/** Equal for equal sets. Takes in every field, since a new weight or priority is news too. */
function setKey(endpoints: readonly Endpoint[]): string {
  return endpoints
    .map(
      ({ address, serverName, isProxied = false, priority = 0, weight = 1, zone, hashKey, metadata = {} }) =>
        JSON.stringify([
          address,
          serverName,
          isProxied,
          priority,
          weight,
          zone,
          hashKey,
          Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1)),
        ]),
    )
    .sort()
    .join();
}
