/** What a method sends and receives; decides whether it gets a deadline and an attempt timeout. */
export interface RpcKind {
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** Anything that has grpc-js's method definitions: `ServiceDefinition` of every generator. */
export interface MethodDefinitions {
  readonly [name: string]: {
    readonly path: string;
    readonly requestStream: boolean;
    readonly responseStream: boolean;
    /** proto-loader carries the method's options here. */
    readonly options?: { readonly idempotency_level?: string } | undefined;
  };
}

const IDEMPOTENT_LEVELS = ["IDEMPOTENT", "NO_SIDE_EFFECTS"];

/** What a service definition says of its methods, by full path. */
export class KnownMethods {
  readonly #kinds = new Map<string, RpcKind>();
  readonly #idempotent = new Set<string>();

  /** Takes in a service definition; anything else is passed over. */
  add(definitions: unknown): void {
    if (typeof definitions !== "object" || definitions === null) return;
    for (const definition of Object.values(definitions as MethodDefinitions)) {
      if (typeof definition?.path !== "string") continue;
      const { path, requestStream, responseStream, options } = definition;
      this.learn(path, { requestStream: Boolean(requestStream), responseStream: Boolean(responseStream) });
      if (IDEMPOTENT_LEVELS.includes(options?.idempotency_level ?? "")) this.#idempotent.add(path);
    }
  }

  learn(path: string, kind: RpcKind): void {
    this.#kinds.set(path, kind);
  }

  kindOf(path: string): RpcKind | null {
    return this.#kinds.get(path) ?? null;
  }

  isIdempotent(path: string): boolean {
    return this.#idempotent.has(path);
  }
}

/**
 * Tells the kind of a call from the order in which grpc-js's `Client` uses it, for stubs without a definition:
 * a single response is asked for right inside `start()`, a single request is half-closed in the same turn.
 */
export function observedKind(observed: {
  readonly isReadAsked: boolean;
  readonly isHalfClosed: boolean;
}): RpcKind & { readonly isCertain: boolean } {
  const { isReadAsked, isHalfClosed } = observed;
  // A duplex stream that is read at once looks like a client stream: right for this call, not worth remembering.
  const isCertain = isHalfClosed || !isReadAsked;
  return { requestStream: !isHalfClosed, responseStream: !isReadAsked, isCertain };
}
