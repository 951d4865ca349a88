import { declaresIdempotent } from "./idempotency.js";

/** What a method sends and receives; decides whether it gets a deadline and an attempt timeout. */
export interface RpcKind {
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** What a definition says of one method, as far as it matters here: `ServiceDefinition` of every generator has it. */
export interface MethodDefinition {
  /** Full path, `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** What service definitions say of their methods, by full path. */
export class KnownMethods {
  readonly #kinds = new Map<string, RpcKind>();
  readonly #idempotent = new Set<string>();
  readonly #defined = new Set<string>();
  #definitions = 0;

  /**
   * @param configured the keys of `methods` that the user wrote, so that definitions can be held against them
   * @param hedgedByDefinition those of them whose hedging waits for a definition that declares them idempotent
   */
  constructor(
    readonly configured: readonly string[] = [],
    readonly hedgedByDefinition: readonly string[] = [],
  ) {}

  /** What one service definition says. */
  static of(definitions: unknown): KnownMethods {
    const known = new KnownMethods();
    known.add(definitions);
    return known;
  }

  /** Takes in a service definition; anything else is passed over. */
  add(definitions: unknown): void {
    if (typeof definitions !== "object" || definitions === null) return;
    for (const definition of Object.values(definitions)) {
      if (isMethodDefinition(definition)) this.define(definition, declaresIdempotent(definition));
    }
  }

  /** Takes in what a definition says of one method. */
  define({ path, requestStream, responseStream }: MethodDefinition, isIdempotent: boolean): void {
    this.learn(path, { requestStream: Boolean(requestStream), responseStream: Boolean(responseStream) });
    this.#defined.add(path);
    this.#definitions++;
    if (isIdempotent) this.#idempotent.add(path);
  }

  /** Remembers the kind of a method that no definition told of. */
  learn(path: string, kind: RpcKind): void {
    this.#kinds.set(path, kind);
  }

  /** Changes with every definition, so that what was derived from them can be told to be old. */
  get definitions(): number {
    return this.#definitions;
  }

  kindOf(path: string): RpcKind | null {
    return this.#kinds.get(path) ?? null;
  }

  isIdempotent(path: string): boolean {
    return this.#idempotent.has(path);
  }

  /** The services that were defined, and the methods of each. */
  services(): ReadonlyMap<string, readonly string[]> {
    const services = new Map<string, string[]>();
    for (const path of this.#defined) {
      const slash = path.lastIndexOf("/");
      if (slash < 1) continue;
      const service = path.slice(1, slash);
      const methods = services.get(service) ?? [];
      services.set(service, methods);
      methods.push(path.slice(slash + 1));
    }
    return services;
  }
}

function isMethodDefinition(value: unknown): value is MethodDefinition {
  return typeof value === "object" && value !== null && typeof Reflect.get(value, "path") === "string";
}

/**
 * Tells the kind of a call from the order in which grpc-js's `Client` uses it, for stubs without a definition:
 * a single response is asked for right inside `start()`, a single request is half-closed in the same turn.
 */
export function observedKind(isReadAsked: boolean, isHalfClosed: boolean): RpcKind {
  return { requestStream: !isHalfClosed, responseStream: !isReadAsked };
}
