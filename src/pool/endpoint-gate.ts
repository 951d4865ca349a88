import type { BreakerStateWord } from "../core/index.js";

/**
 * What a breaker is to those who pick and call: asked before, told after. The pool declares it, the breaker fits it,
 * so that neither imports the other.
 */
export interface EndpointGate {
  readonly state: BreakerStateWord;
  /** Monotonic ms at which a probe will be let through; null unless open. */
  readonly retryAt: number | null;
  /** Out of use by hand; absent where that cannot be. */
  readonly isIsolated?: boolean;
  admits(): boolean;
  /** Told of a pick; true when the attempt is a probe. */
  acquire(): boolean;
  /** @param ms how long the attempt took */
  succeed(isProbe: boolean, ms?: number): void;
  /** @param isOfConnection true for a failed dial or a lost connection */
  fail(isProbe: boolean, isOfConnection?: boolean): void;
  abandon(isProbe: boolean): void;
  /** The endpoint said that it is well; says something only to a breaker that health checks close. */
  healthy?(): void;
  /** A fresh connection is evidence from outside that the endpoint is back. */
  reconnected(): void;
}

/** A gate that never closes, where breakers are off. */
export const openGate: EndpointGate = {
  state: "closed",
  retryAt: null,
  admits: () => true,
  acquire: () => false,
  succeed: () => {},
  fail: () => {},
  abandon: () => {},
  reconnected: () => {},
};
