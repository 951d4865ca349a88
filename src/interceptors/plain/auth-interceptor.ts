import {
  type Interceptor,
  type InterceptorOptions,
  type Metadata,
  type NextCall,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import { settingsOf } from "../../call/index.js";
import { type Clock, parseOptions, problemsError } from "../../core/index.js";
import { asInterceptingCall } from "./call-types.js";
import { type InterceptorCollaborators, withDefaults } from "./collaborators.js";
import { type Credentials, type CredentialsSource, credentialsSource } from "./credentials-source.js";
import { callbackFailure, metadataFailure } from "./fit-metadata.js";
import { isReported, reported } from "./local-failure.js";
import { PlainCall } from "./plain-call.js";
import { type AuthOptions, authOptionsSchema, entryFor, type ResolvedAuthOptions } from "./plain-options.js";
import { Quietly } from "./quietly.js";
import { SharedRefresh } from "./shared-refresh.js";
import { whenReady } from "./when-ready.js";

/** What all calls through one interceptor share. */
interface Authority {
  readonly options: ResolvedAuthOptions;
  readonly source: CredentialsSource;
  readonly refresh: SharedRefresh<Credentials>;
  readonly quietly: Quietly;
}

/**
 * Gives every call its credentials, asked for when it starts. When a server answers UNAUTHENTICATED they are asked for
 * anew, once for all calls that meet it at that time. The call itself is repeated, once, when it is idempotent and has
 * a single request; other calls get the server's answer (R162), and the next one has the new credentials.
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key
 */
export function authInterceptor(
  options: AuthOptions,
  collaborators: InterceptorCollaborators = {},
): Interceptor {
  // Whoever gives the token itself is told without it.
  if (typeof options !== "object" || options === null) {
    throw problemsError("authInterceptor", [
      "the options are no object; give { getToken } or { getMetadata }",
    ]);
  }
  const resolved = parseOptions(authOptionsSchema, options, "authInterceptor");
  const { clock } = withDefaults(collaborators);
  const authority: Authority = {
    options: resolved,
    source: credentialsSource(resolved),
    refresh: new SharedRefresh(resolved.fetchTimeoutMs, clock),
    quietly: new Quietly("a refresh of credentials failed"),
  };
  return (call, nextCall) => asInterceptingCall(new AuthorizedCall(call, nextCall, clock, authority));
}

class AuthorizedCall extends PlainCall {
  readonly #authority: Authority;
  #metadata: Metadata | null = null;
  /** Of the shared refresh, as this call was given its credentials. */
  #generation = 0;
  #hasRefreshed = false;

  constructor(options: InterceptorOptions, nextCall: NextCall, clock: Clock, authority: Authority) {
    // Of a stream of requests there is no telling how much would have to be kept.
    super(options, nextCall, clock, !options.method_definition.requestStream);
    this.#authority = authority;
  }

  protected begin(metadata: Metadata): void {
    const { source, refresh } = this.#authority;
    // Its owner may use it for the next call, with other values, before the credentials are there.
    const own = metadata.clone();
    this.#metadata = own;
    this.#generation = refresh.generation;
    whenReady(() => source({ method: this.method, isRefresh: false }), {
      ready: (credentials) => this.#send(own, credentials),
      failed: (error) => this.fail(callbackFailure("the source of credentials", error)),
      waiting: () => this.startWait("credentials"),
    });
  }

  protected override mayRepeat(status: StatusObject): boolean {
    return isRefused(status) && !this.#hasRefreshed && this.#isRepeatable();
  }

  protected override repeat(refusal: StatusObject): void {
    const metadata = this.#metadata as Metadata;
    this.startWait("new credentials");
    this.#refresh().then(
      (credentials) => this.#send(metadata, credentials),
      (error: unknown) => this.finish(this.#explained(refusal, error)),
    );
  }

  protected override onEnd(status: StatusObject): StatusObject {
    // The next call is to have better ones, though this one may not be repeated.
    if (isRefused(status) && !this.#hasRefreshed && this.#metadata !== null) {
      this.#authority.quietly.run(() => this.#refresh());
    }
    return status;
  }

  #refresh(): Promise<Credentials> {
    this.#hasRefreshed = true;
    const { refresh, source } = this.#authority;
    return refresh.after(this.#generation, () => source({ method: this.method, isRefresh: true }));
  }

  #send(own: Metadata, credentials: Credentials): void {
    const merged = own.clone();
    try {
      for (const [name, values] of credentials) {
        merged.remove(name);
        for (const value of values) merged.add(name, value);
      }
    } catch (error) {
      // Metadata of another library may hold what this grpc-js refuses.
      return this.fail(callbackFailure("the source of credentials", error));
    }
    const failure = metadataFailure(merged, this.#authority.options.maxMetadataBytes);
    if (failure === null) this.proceed(merged);
    else this.fail(failure);
  }

  /** The call's own word before the method's, before that of the whole interceptor. */
  #isRepeatable(): boolean {
    const { options } = this.#authority;
    const { method_definition, deadline } = this.options;
    if (method_definition.requestStream) return false;
    const { idempotent } = settingsOf(deadline ?? Number.POSITIVE_INFINITY);
    if (idempotent !== undefined) return idempotent;
    if (this.#metadata?.getOptions().idempotentRequest === true) return true;
    const { methods, idempotent: ofAll, service } = options;
    return entryFor(methods, this.method)?.idempotent ?? ofAll ?? service?.isIdempotent(this.method) ?? false;
  }

  /** The server's answer, and why it was the last. */
  #explained(refusal: StatusObject, error: unknown): StatusObject {
    const facts = { reason: "REMOTE", origin: "remote", processed: "maybe" } as const;
    const status = isReported(refusal) ? refusal : reported(this.method, refusal, facts, this.elapsedMs);
    const { details } = callbackFailure("asking for new credentials", error);
    return { ...status, explanation: `${status.explanation}; ${details}` } as StatusObject;
  }
}

function isRefused({ code }: StatusObject): boolean {
  return code === Status.UNAUTHENTICATED;
}
