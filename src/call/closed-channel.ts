import { status as Status } from "@grpc/grpc-js";
import { ResilienceError } from "../core/index.js";

/** What calls on a closed channel are told. */
export const CLOSED_DETAILS = "The channel is closed";

/** @throws ResilienceError `CLIENT_CLOSED`, where something is asked of a channel that is closed */
export function assertOpen({ isClosed }: { readonly isClosed: boolean }, method: string): void {
  if (!isClosed) return;
  const details = `${method}: the channel is closed`;
  throw new ResilienceError({ reason: "CLIENT_CLOSED", code: Status.CANCELLED, details });
}
