import { CallCredentials } from "@grpc/grpc-js";
import { z } from "zod";
import { type Clock, configInvalid, parseOptions, positiveMs, systemClock } from "../core/index.js";
import { guardCallCredentials } from "../pool/index.js";
import { CredentialsFetcher, type FetchCredentials } from "./credentials-fetcher.js";

const refreshingShape = {
  /**
   * How long one fetch may take, in ms: a token server that is silent must not hold up calls that have no deadline, or that
   * wait for one refresh together. Default 10,000.
   */
  fetchTimeoutMs: positiveMs().default(10_000),
};
const refreshingCredentialsOptionsSchema: z.ZodObject<typeof refreshingShape, z.core.$strict> =
  z.strictObject(refreshingShape);
export type RefreshingCredentialsOptions = z.input<typeof refreshingCredentialsOptionsSchema>;

const REFRESHING = Symbol.for("holdfast.refreshingCredentials");

/** What can be told that the credentials it gave were not accepted. */
interface Refreshable {
  /** Counts refreshes that succeeded; read it when an attempt begins. */
  readonly generation: number;
  /**
   * The credentials were not accepted: the next call that asks for them has them fetched anew.
   * @param generation of the attempt that was refused: when there was a refresh since, nothing is to be done
   */
  refresh(generation?: number): void;
}

/** Call credentials that can be fetched anew when a server has not accepted them. */
export interface RefreshingCredentials extends CallCredentials, Refreshable {}

/**
 * Call credentials from an asynchronous source, such as a token server. Every attempt asks `fetch`, so keep what may be used
 * again; with `isRefresh` the last answer was not accepted (UNAUTHENTICATED) and must not be given again. What
 * `fetch` throws ends that call with METADATA_INVALID, and with its own `code` where that is a gRPC status.
 *
 * Use them for a call, as `callCredentials` of a channel, or with `credentials.combineChannelCredentials`.
 * @throws ResilienceError `CONFIG_INVALID`
 */
export function refreshingCredentials(
  fetch: FetchCredentials,
  options: RefreshingCredentialsOptions = {},
  { clock = systemClock }: { readonly clock?: Clock } = {},
): RefreshingCredentials {
  if (typeof fetch !== "function") {
    throw configInvalid(`refreshingCredentials: fetch is ${typeof fetch}; allowed: a function`);
  }
  const { fetchTimeoutMs } = parseOptions(
    refreshingCredentialsOptionsSchema,
    options,
    "refreshingCredentials",
  );
  const fetcher = new CredentialsFetcher(fetch, fetchTimeoutMs, clock);
  const credentials = CallCredentials.createFromMetadataGenerator((asked, callback) => {
    fetcher
      .generate({ method: asked.method_name, serviceUrl: asked.service_url })
      .then((metadata) => callback(null, metadata), callback);
  });
  return withRefresh(guardCallCredentials(credentials), fetcher);
}

/** True for `refreshingCredentials`, and for what they, or `composeCredentials`, were composed to. */
export function canRefresh(
  credentials: CallCredentials | null | undefined,
): credentials is RefreshingCredentials {
  return credentials !== null && credentials !== undefined && REFRESHING in credentials;
}

/** `first.compose(second)`, which can be refreshed when either can: grpc-js's own forgets it of the second. */
export function composeCredentials(first: CallCredentials, second: CallCredentials): CallCredentials {
  if (canRefresh(first) || !canRefresh(second)) return first.compose(second);
  const composed = first.compose(second);
  return composed === second ? second : withRefresh(guardCallCredentials(composed), second);
}

/** grpc-js lets nobody extend its own classes, so the credentials it made are given what they lack. */
function withRefresh(credentials: CallCredentials, source: Refreshable): RefreshingCredentials {
  const compose = credentials.compose.bind(credentials);
  const refreshing: RefreshingCredentials = Object.defineProperties(credentials, {
    [REFRESHING]: { value: true },
    generation: { get: () => source.generation },
    refresh: { value: (generation?: number) => source.refresh(generation) },
    compose: {
      value: (other: CallCredentials) => {
        const composed = compose(other);
        if (composed === credentials) return refreshing;
        return withRefresh(
          guardCallCredentials(composed),
          canRefresh(other) ? both(refreshing, other) : source,
        );
      },
    },
  }) as RefreshingCredentials;
  return refreshing;
}

/** Nobody knows which of the two was not accepted. */
function both(a: Refreshable, b: Refreshable): Refreshable {
  const sum = (): number => a.generation + b.generation;
  return {
    get generation() {
      return sum();
    },
    refresh(generation = sum()) {
      if (generation !== sum()) return;
      a.refresh();
      b.refresh();
    },
  };
}
