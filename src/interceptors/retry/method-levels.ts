import type { InterceptorOptions } from "@grpc/grpc-js";
import type { KnownMethods } from "../../call/index.js";
import type { MethodTraits } from "./repeat-env.js";

interface Traits {
  readonly idempotent?: boolean | undefined;
  readonly attemptTimeoutMs?: number | null | undefined;
}

interface RepeatOptions<L extends Traits> extends Traits {
  readonly maxBufferedMessages: number;
  readonly service?: KnownMethods | undefined;
  readonly methods: Readonly<Record<string, L>>;
}

/** A key of the method's own entry, else of its service's; undefined where neither has it. */
export function ofMethod<L extends object, K extends keyof L>(
  methods: Readonly<Record<string, L>>,
  path: string,
  key: K,
): L[K] | undefined {
  const name = path.slice(1);
  const levels = [name, name.slice(0, Math.max(0, name.lastIndexOf("/")))];
  return levels
    .map((level) => (Object.hasOwn(methods, level) ? methods[level]?.[key] : undefined))
    .find((value) => value !== undefined);
}

/** What holds for a method: its entry before the options, and these before its service definition. */
export function traitsOf<L extends Traits>(
  options: RepeatOptions<L>,
  { method_definition: { path } }: InterceptorOptions,
): MethodTraits {
  const attemptTimeoutMs = ofMethod(options.methods, path, "attemptTimeoutMs");
  return {
    isIdempotent:
      ofMethod(options.methods, path, "idempotent") ??
      options.idempotent ??
      options.service?.isIdempotent(path) ??
      false,
    attemptTimeoutMs: attemptTimeoutMs === undefined ? options.attemptTimeoutMs : attemptTimeoutMs,
    maxBufferedMessages: options.maxBufferedMessages,
  };
}

/** Makes what holds for a method once, at its first call. */
export class MethodCache<T> {
  readonly #byPath = new Map<string, T>();

  constructor(private readonly make: (options: InterceptorOptions) => T) {}

  of(options: InterceptorOptions): T {
    const { path } = options.method_definition;
    const known = this.#byPath.get(path);
    if (known !== undefined) return known;
    const made = this.make(options);
    this.#byPath.set(path, made);
    return made;
  }
}
