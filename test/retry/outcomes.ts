import { Metadata, status } from "@grpc/grpc-js";
import type { Outcome } from "../../src/core/index.js";

/** An attempt that the server may have run and that ended UNAVAILABLE, where `changes` do not say otherwise. */
export function outcome(changes: Partial<Outcome> = {}): Outcome {
  return {
    code: status.UNAVAILABLE,
    details: "",
    metadata: new Metadata(),
    reason: "REMOTE",
    origin: "remote",
    processed: "maybe",
    progress: "sent",
    isConnectionLoss: false,
    ...changes,
  };
}

/** All seventeen codes of gRPC. */
export const ALL_CODES: readonly status[] = Array.from({ length: 17 }, (_, code) => code);
