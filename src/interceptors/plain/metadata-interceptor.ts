import type { Interceptor, InterceptorOptions, Metadata, NextCall } from "@grpc/grpc-js";
import { type Clock, parseOptions, problemsError } from "../../core/index.js";
import { asInterceptingCall } from "./call-types.js";
import { type InterceptorCollaborators, withDefaults } from "./collaborators.js";
import { callbackFailure, isMetadata, metadataFailure } from "./fit-metadata.js";
import { PlainCall } from "./plain-call.js";
import { type MetadataInterceptorOptions, metadataOptionsSchema } from "./plain-options.js";
import { whenReady } from "./when-ready.js";

/** What a source of metadata is told. */
export interface MetadataContext {
  /** Full path, `/package.Service/Method`. */
  readonly method: string;
}

/** Gives the metadata of a call. */
export type MetadataSource = (context: MetadataContext) => Metadata | Promise<Metadata>;

/**
 * Adds metadata to every call, and refuses metadata that HTTP/2 or a server would not take, before it costs the
 * connection. A key that a call has itself is left as it is; the caller's own object is never changed.
 *
 * @throws ResilienceError `CONFIG_INVALID` when `metadata` is neither metadata nor a function, or may not be sent
 */
export function metadataInterceptor(
  metadata: Metadata | MetadataSource,
  options: MetadataInterceptorOptions = {},
  collaborators: InterceptorCollaborators = {},
): Interceptor {
  const { maxMetadataBytes } = parseOptions(metadataOptionsSchema, options, "metadataInterceptor");
  const { clock } = withDefaults(collaborators);
  const source = sourceOf(metadata, maxMetadataBytes);
  return (call, nextCall) =>
    asInterceptingCall(new AnnotatedCall(call, nextCall, clock, source, maxMetadataBytes));
}

/** A copy, so that what the user does with the object afterwards changes no call. */
function sourceOf(metadata: unknown, maxMetadataBytes: number): MetadataSource {
  if (typeof metadata === "function") return metadata as MetadataSource;
  if (!isMetadata(metadata)) {
    throw problemsError("metadataInterceptor", [
      "metadata must be grpc.Metadata, or a function that gives it",
    ]);
  }
  const failure = metadataFailure(metadata, maxMetadataBytes);
  if (failure !== null) throw problemsError("metadataInterceptor", [failure.details]);
  const copy = metadata.clone();
  return () => copy;
}

class AnnotatedCall extends PlainCall {
  readonly #source: MetadataSource;
  readonly #maxBytes: number;

  constructor(
    options: InterceptorOptions,
    nextCall: NextCall,
    clock: Clock,
    source: MetadataSource,
    maxBytes: number,
  ) {
    super(options, nextCall, clock);
    this.#source = source;
    this.#maxBytes = maxBytes;
  }

  protected begin(metadata: Metadata): void {
    let own = metadata;
    whenReady(() => this.#source({ method: this.method }), {
      ready: (added) => this.#send(own, added),
      failed: (error) => this.fail(callbackFailure("the metadata function", error)),
      waiting: () => {
        // Its owner may use it for the next call, with other values, meanwhile.
        own = metadata.clone();
        this.startWait("the metadata function");
      },
    });
  }

  #send(own: Metadata, added: unknown): void {
    if (!isMetadata(added)) {
      return this.fail(callbackFailure("the metadata function", new Error("it gave no grpc.Metadata")));
    }
    const merged = own.clone();
    try {
      for (const name of Object.keys(added.getMap())) {
        if (own.get(name).length > 0) continue;
        for (const value of added.get(name)) merged.add(name, value);
      }
    } catch (error) {
      // Metadata of another library may hold what this grpc-js refuses.
      return this.fail(callbackFailure("the metadata function", error));
    }
    const failure = metadataFailure(merged, this.#maxBytes);
    if (failure === null) this.proceed(merged);
    else this.fail(failure);
  }
}
