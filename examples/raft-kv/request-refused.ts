import { status } from "@grpc/grpc-js";

/** A request that this node does not take; `code` is the gRPC status it is answered with. */
export class RequestRefused extends Error {
  override readonly name = "RequestRefused";

  private constructor(
    readonly code: status,
    message: string,
  ) {
    super(message);
  }

  static invalid(message: string): RequestRefused {
    return new RequestRefused(status.INVALID_ARGUMENT, message);
  }

  static tooLarge(message: string): RequestRefused {
    return new RequestRefused(status.RESOURCE_EXHAUSTED, message);
  }

  static notRunning(): RequestRefused {
    return new RequestRefused(status.UNAVAILABLE, "this node has not started, or has stopped");
  }
}
