import type { ChannelFactory, Clock, Random, Subscription } from "../core/index.js";

/** How a service is, in Consul's words. */
export type ServiceStatus = "passing" | "warning" | "critical";

/** What a registry is told of how a service is. */
export interface ServiceHealth {
  readonly status: ServiceStatus;
  /** Shown beside the check; empty for none. */
  readonly note: string;
}

export interface RegistrationStats {
  /** The registry and the name in it, without secrets. */
  readonly target: string;
  /** What the service goes by there. */
  readonly id: string;
  /**
   * `registering` until the first attempt is over, `registered` while the registry answers, `failing` while it does not and
   * is asked again and again, `closed` as soon as `close()` was called.
   */
  readonly state: "registering" | "registered" | "failing" | "closed";
  /** Since when, as ISO 8601. */
  readonly since: string;
  /** When the registry took the registration, or a sign of life, the last time; null for never. */
  readonly answeredAt: string | null;
  /** Times it was put in: more than 1 where the registry has forgotten it in between. */
  readonly registrations: number;
  /** Attempts to register or to keep it that failed. */
  readonly failures: number;
  /** The last of them, also when all has been well since; null for none. */
  readonly lastError: { readonly text: string; readonly at: string } | null;
}

/** What becomes of a registration. */
export type RegistrationEvent =
  /** The service stands in the registry, for the first time or again. */
  | { readonly type: "registered"; readonly registrations: number }
  /** The registry did not know it any more; it is registered again at once. */
  | { readonly type: "forgotten" }
  /** An attempt to register or to keep it failed; the next one comes by itself. */
  | { readonly type: "failed"; readonly error: Error; readonly retryInMs: number }
  /** It is over. With an error where the registry could not be told, and will only find out by itself. */
  | { readonly type: "closed"; readonly error: Error | null };

/** A service that stands in a registry until it is closed, or its process dies. */
export interface Registration extends AsyncDisposable {
  readonly target: string;
  readonly id: string;
  stats(): RegistrationStats;
  /** Tells of what happens from now on; disposing ends it. */
  onEvent(listener: (event: RegistrationEvent) => void): Subscription;
  /**
   * Tells the registry how the service is; a registry that forgets it is told the same again.
   *
   * @param note shown beside the check
   * @throws ResilienceError `CONFIG_INVALID` where the registry finds out by itself; `DISCOVERY_FAILED` where it was not
   *   reached, and is told at the next attempt; `CLIENT_CLOSED` after `close()`
   */
  setStatus(status: ServiceStatus, note?: string): Promise<void>;
  /**
   * Takes the service out. Ends within `discovery.lookupTimeoutMs` and never rejects: where the registry cannot be told, the
   * service goes critical by its TTL, as for a process that died. May be called again. Calls still arrive from clients that
   * have not heard of it yet, so close it before the server.
   */
  close(): Promise<void>;
}

/** One service in one registry. Only one of its promises is pending at a time, and each ends soon after its signal. */
export interface Registrar {
  /** In canonical spelling, without secrets. */
  readonly target: string;
  readonly id: string;
  /** Time between two calls of `keep` while all is well, in milliseconds, before jitter. */
  readonly keepEveryMs: number;
  /** Why nobody but the registry says how the service is; null where `health` is what counts. */
  readonly statusProblem: string | null;
  /**
   * Puts the service in, in place of what stands there.
   * @throws RegistrationRefused for what no repeat will mend
   */
  register(health: ServiceHealth, signal: AbortSignal): Promise<void>;
  /** Says that the service lives. False where the registry does not know it, or not as it was registered. */
  keep(health: ServiceHealth, signal: AbortSignal): Promise<boolean>;
  /** Takes the service out; one that is not there is none the worse. */
  deregister(signal: AbortSignal): Promise<void>;
  /** Leaves no socket and no timer. May be called again. */
  release(): void;
}

/** The registry does not take what it was given, however often it is. */
export class RegistrationRefused extends Error {}

/** What registrars need of the world, so that tests can own it. */
export interface RegistrarDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Environment variables: addresses and tokens of the registry may stand there. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** For registries that are told over gRPC. */
  readonly openChannel: ChannelFactory;
}
