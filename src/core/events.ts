import type { status } from "@grpc/grpc-js";
import { Subscription } from "./lifecycle.js";
import type { Reason } from "./reasons.js";

/** gRPC's five connectivity states, as words. */
export type ConnectivityWord = "IDLE" | "CONNECTING" | "READY" | "TRANSIENT_FAILURE" | "SHUTDOWN";

export type BreakerStateWord = "closed" | "open" | "half-open";

/** Every transition and decision of a channel. `type` tells them apart; fields that hold a duration end in `Ms`. */
export type ChannelEvent =
  | { readonly type: "channel.state"; readonly from: ConnectivityWord; readonly to: ConnectivityWord }
  | { readonly type: "resolver.resolving"; readonly target: string }
  | {
      readonly type: "resolver.endpoints";
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly total: number;
    }
  | {
      readonly type: "resolver.failed";
      /** The target that could not be resolved: one of several, where the channel has several. */
      readonly source: string;
      readonly error: string;
      readonly keptEndpoints: number;
    }
  | {
      /** Something of a source's answer is of no use, such as an instance without a port; the rest is used. */
      readonly type: "resolver.problem";
      readonly source: string;
      readonly problem: string;
    }
  | {
      /** An answer would take these away; they stay in use until it is confirmed. */
      readonly type: "resolver.held";
      readonly source: string;
      readonly why: "empty" | "shrink";
      readonly endpoints: readonly string[];
    }
  | {
      readonly type: "endpoint.state";
      readonly endpoint: string;
      readonly from: ConnectivityWord;
      readonly to: ConnectivityWord;
      /** Why, where there is a cause: the dial's error, the loss, the drain. */
      readonly cause?: string;
      /** For TRANSIENT_FAILURE: how long until the next dial. */
      readonly retryInMs?: number;
    }
  | {
      readonly type: "connection.lost";
      readonly endpoint: string;
      readonly cause: string;
      readonly callsInFlight: number;
    }
  | { readonly type: "connection.failed"; readonly endpoint: string; readonly cause: string }
  | { readonly type: "connection.draining"; readonly endpoint: string; readonly cause: string }
  | { readonly type: "connection.suspect"; readonly endpoint: string; readonly cause: string }
  | {
      readonly type: "connection.verified";
      readonly endpoint: string;
      readonly by: "bytes" | "health" | "dial";
    }
  | { readonly type: "connection.dead"; readonly endpoint: string; readonly callsEnded: number }
  | {
      readonly type: "endpoint.health";
      readonly endpoint: string;
      readonly status: "unknown" | "serving" | "not-serving";
      /** Why it is not serving. */
      readonly detail?: string;
    }
  | {
      /** Out of use, because it failed more than the others. */
      readonly type: "endpoint.ejected";
      readonly endpoint: string;
      readonly method: "success_rate" | "failure_percentage";
      /** How long at least. */
      readonly forMs: number;
    }
  | {
      /** It failed more than the others, and is left in use. */
      readonly type: "endpoint.spared";
      readonly endpoint: string;
      readonly method: "success_rate" | "failure_percentage";
      readonly why: "enforcement_percentage" | "max_ejection_overflow";
    }
  | { readonly type: "endpoint.unejected"; readonly endpoint: string }
  /** The servers of the target mind the pings: new connections ping less often. */
  | { readonly type: "keepalive.raised"; readonly fromMs: number; readonly toMs: number }
  | {
      readonly type: "breaker.state";
      readonly endpoint: string;
      /** Where each method has a breaker of its own. */
      readonly method?: string;
      readonly from: BreakerStateWord;
      readonly to: BreakerStateWord;
      /** For `open`: how long until a probe is let through. */
      readonly retryInMs?: number;
    }
  | {
      readonly type: "call.picked";
      readonly method: string;
      readonly attempt: number;
      readonly endpoint: string;
    }
  | {
      /** An attempt is over: it was answered, it failed, or another one of its call came first. */
      readonly type: "call.attempt";
      readonly method: string;
      readonly attempt: number;
      readonly endpoint: string;
      readonly code: status;
      readonly ms: number;
      /** Bytes of the messages handed to and received from grpc-js, without framing. */
      readonly sentBytes: number;
      readonly receivedBytes: number;
    }
  | {
      readonly type: "call.hedge";
      readonly method: string;
      /** The attempt that is started beside those in flight. */
      readonly attempt: number;
      readonly inFlight: number;
    }
  | {
      readonly type: "call.retry";
      readonly method: string;
      /** The attempt that failed. */
      readonly attempt: number;
      readonly endpoint: string | null;
      readonly code: status;
      readonly reason: Reason;
      readonly kind: "transparent" | "policy";
      readonly delayMs: number;
    }
  | {
      readonly type: "call.failed";
      readonly method: string;
      readonly attempts: number;
      readonly code: status;
      readonly reason: Reason;
      readonly explanation: string;
    }
  | { readonly type: "call.recovered"; readonly method: string; readonly attempts: number }
  | { readonly type: "throttle.exhausted"; readonly tokens: number; readonly maxTokens: number };

export type EventListener = (event: ChannelEvent) => void;

/** Hands events to subscribers. Check `hasListeners` before building an event on a hot path. */
export class EventHub<Event = ChannelEvent> {
  /** Replaced whole, so that handing out an event costs no iterator and bears subscriptions meanwhile. */
  #listeners: readonly ((event: Event) => void)[] = [];
  #hasWarned = false;

  get hasListeners(): boolean {
    return this.#listeners.length > 0;
  }

  subscribe(listener: (event: Event) => void): Subscription {
    // Wrapped, so that one function subscribed twice is two subscriptions, and hears nothing after the end of its own.
    let isOver = false;
    const own = (event: Event): void => {
      if (!isOver) listener(event);
    };
    this.#listeners = [...this.#listeners, own];
    return new Subscription(() => {
      isOver = true;
      this.#listeners = this.#listeners.filter((other) => other !== own);
    });
  }

  emit(event: Event): void {
    const listeners = this.#listeners;
    for (let at = 0; at < listeners.length; at++) {
      try {
        listeners[at]?.(event);
      } catch (error) {
        this.#warnOnce(error);
      }
    }
  }

  /** A listener that throws must not change the fate of a call; it is reported once, not for every event. */
  #warnOnce(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(`an event listener threw: ${String(error)}`, "HoldfastWarning");
  }
}
