import { status as Status } from "@grpc/grpc-js";
import { saidBy } from "../core/index.js";
import type { ServedMethod } from "./served-method.js";
import { failureOf, ServedFailure } from "./served-service.js";

/** What a server sends back: an encoded response, or a status. */
export type MemoryReply = Uint8Array | { readonly code: Status; readonly details: string };

/** One life of the server at an address; a restart is another one. */
export class MemoryServer {
  /** Removed or replaced: it hears and says nothing any more, but a handler that runs goes on. */
  isGone = false;
  readonly #methods: ReadonlyMap<string, ServedMethod>;

  constructor(methods: readonly ServedMethod[]) {
    this.#methods = new Map(methods.map((method) => [method.definition.path, method]));
  }

  /** Runs the handler on a request as it came over the wire. Never rejects. */
  async run(path: string, request: Buffer): Promise<MemoryReply> {
    const method = this.#methods.get(path);
    if (method === undefined) {
      return { code: Status.UNIMPLEMENTED, details: `the server does not implement ${path}` };
    }
    const { requestDeserialize, responseSerialize } = method.definition;
    let stage = "the request cannot be decoded";
    try {
      const message = requestDeserialize(request);
      stage = "";
      const response = await method.handle(message);
      stage = "the response cannot be encoded";
      return copied(responseSerialize(response));
    } catch (error) {
      if (stage === "") return statusOf(error instanceof ServedFailure ? error : failureOf(error));
      return { code: Status.INTERNAL, details: `${stage}: ${saidBy(error)}` };
    }
  }
}

/**
 * A serializer may hand out bytes that its caller goes on using; a message on its way is nobody's.
 * @throws TypeError when it made something else than bytes
 */
export function copied(bytes: Uint8Array): Buffer {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("its serializer made no bytes");
  return Buffer.from(bytes);
}

function statusOf({ code, details }: ServedFailure): MemoryReply {
  return { code, details };
}
