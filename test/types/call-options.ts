// Nothing here runs: `npm run typecheck` reads it. Each @ts-expect-error fails the build when the line below is accepted.
import * as grpc from "@grpc/grpc-js";
import {
  type AttemptRecord,
  type CallSettings,
  callOptions,
  isReason,
  type Reason,
  ResilienceError,
} from "holdfast";
import type { ContractClient } from "../fixtures/stubs/generated/ts-proto/contract.js";
import { same, use } from "./expect.js";

/** What `callOptions` gives goes where grpc-js takes call options. */
export function givesCallOptions(stub: ContractClient, signal: AbortSignal): void {
  const all: CallSettings = { timeoutMs: 5, idempotent: true, waitForReady: true, retry: false, signal };
  const options = callOptions(all);
  same<typeof options, grpc.CallOptions>();

  stub.unary({ text: "", repeat: 0 }, new grpc.Metadata(), options, () => {});
  stub.serverStream({ text: "", repeat: 0 }, options);
  stub.bidi({ ...options, interceptors: [] });
  callOptions({ deadline: new Date(), retry: { maxAttempts: 2, backoff: { initialMs: 5 } } });
  callOptions({ deadline: Date.now() + 5 });
}

/** Settings with typos and wrong values do not compile. */
export function refusesWrongSettings(): void {
  // @ts-expect-error: idempotent, not idempotant
  callOptions({ idempotant: true });
  // @ts-expect-error: milliseconds are numbers
  callOptions({ timeoutMs: "5s" });
  // @ts-expect-error: an AbortSignal, not its controller
  callOptions({ signal: new AbortController() });
  // @ts-expect-error: true is no change of the retry options
  callOptions({ retry: true });
  // @ts-expect-error: settings are needed; leave the argument of the call out instead
  callOptions();
}

/** An error of a call can be narrowed to what Holdfast says about it. */
export function narrowsErrors(error: unknown): void {
  if (isReason(error, "CIRCUIT_OPEN")) {
    const processed: "no" | "maybe" | "yes" = error.processed;
    const attempts: readonly AttemptRecord[] = error.attempts;
    const code: grpc.status = error.code;
    const origin: "local" | "remote" = error.origin;
    use(processed, attempts, code, origin, error.explanation.length);
  }
  if (error instanceof ResilienceError) {
    const reason: Reason = error.reason;
    use(reason, error.metadata.getMap());
  }
  // @ts-expect-error: an unknown error has no reason before it is narrowed
  use(error.reason);
  // @ts-expect-error: there is no such reason
  isReason(error, "CIRCUIT_OPENED");
}
