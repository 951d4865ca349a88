import * as grpc from "@grpc/grpc-js";

/** What a server does with one unary call. */
export type UnaryBehaviour = grpc.handleUnaryCall<Buffer, Buffer>;

/** Answers with `text`. */
export function ok(text: string): UnaryBehaviour {
  return (_call, callback) => callback(null, Buffer.from(text));
}

/** Fails with a status of the application, in one trailers-only frame. */
export function fail(code: grpc.status, details = ""): UnaryBehaviour {
  return (_call, callback) => callback({ code, details });
}

/** A server that is overloaded or going down, with the pushback of gRFC A6 if given (negative: do not retry). */
export function unavailable(options: { readonly pushbackMs?: number } = {}): UnaryBehaviour {
  return (_call, callback) => {
    const metadata = new grpc.Metadata();
    if (options.pushbackMs !== undefined) metadata.set("grpc-retry-pushback-ms", String(options.pushbackMs));
    callback({ code: grpc.status.UNAVAILABLE, details: "scripted", metadata });
  };
}

/** A handler stuck on a lock or a dead database: the call is executed and never answered. */
export function hang(): UnaryBehaviour {
  return () => {};
}

/** Sends response headers, which commits the call to this attempt, and fails after them. */
export function headersThenFail(code: grpc.status): UnaryBehaviour {
  return (call, callback) => {
    call.sendMetadata(new grpc.Metadata());
    callback({ code, details: "after headers" });
  };
}

/** The nth call gets the nth behaviour; a call more than the script has is an INTERNAL failure that says so. */
export function scriptOf(behaviours: readonly UnaryBehaviour[]): UnaryBehaviour {
  let calls = 0;
  return (call, callback) => {
    const behaviour = behaviours[calls++];
    const surplus = fail(grpc.status.INTERNAL, `call ${calls}, but the script has ${behaviours.length}`);
    (behaviour ?? surplus)(call, callback);
  };
}
