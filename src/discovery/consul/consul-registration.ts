import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import {
  type Registrar,
  type RegistrarDeps,
  RegistrationRefused,
  type ServiceHealth,
  type ServiceStatus,
} from "../registration.js";
import type { ResolvedServiceOptions } from "../registration-options.js";
import type { ConsulTarget } from "../target-kinds.js";
import { type ConsulCall, ConsulHttp, type ConsulReply } from "./consul-http.js";
import { consulCheckId, consulDefinition, consulServiceId } from "./consul-registration-definition.js";

/** How often Consul is asked whether it still knows a service that it checks itself. */
const LOOK_EVERY_MS = 10_000;
/** A heartbeat that takes longer than its period is no use; shorter than this, it would fail on a busy machine. */
const MIN_TIMEOUT_MS = 1_000;
/** Of a service that somebody has put under maintenance, which a new registration does not end. */
const MAINTENANCE = "_service_maintenance:";

type CallName = "pass" | "warn" | "fail";
const CALLS: Readonly<Record<ServiceStatus, CallName>> = {
  passing: "pass",
  warning: "warn",
  critical: "fail",
};

/**
 * A service at an agent of Consul. With a TTL each `keep` is its heartbeat; with a gRPC check, which is the agent's own, it
 * only looks whether the agent still has it, as an agent that lost its state has not.
 */
export class ConsulRegistrar implements Registrar {
  readonly target: string;
  readonly id: string;
  readonly keepEveryMs: number;
  readonly statusProblem: string | null;
  readonly #http: ConsulHttp;
  readonly #checkId: string;
  readonly #timeoutMs: number;
  /** As Consul found it last by its own check; null before. */
  #seen: ServiceStatus | null = null;
  #isSwept = false;

  constructor(
    private readonly place: ConsulTarget,
    private readonly service: ResolvedServiceOptions,
    options: ResolvedDiscoveryOptions,
    deps: Pick<RegistrarDeps, "clock" | "env">,
  ) {
    this.target = place.canonical;
    this.id = consulServiceId(place, service);
    this.#checkId = consulCheckId(this.id);
    this.keepEveryMs = "ttlMs" in service.check ? service.check.ttlMs / 3 : LOOK_EVERY_MS;
    this.#timeoutMs = options.lookupTimeoutMs;
    this.statusProblem = this.#hasTtl
      ? null
      : `Consul itself asks ${this.id} how it is (check.grpc); answer its health checks, or register with check.ttlMs`;
    this.#http = new ConsulHttp(place, options.consul, deps);
  }

  async register(health: ServiceHealth, signal: AbortSignal): Promise<void> {
    // A service that was passing when the agent lost its state is not to be out of use until the first check of a new one.
    const definition = consulDefinition(this.place, this.service, this.#hasTtl ? health.status : this.#seen);
    const reply = await this.#ask(
      signal,
      (consul, common) => consul.agent.service.register({ ...common, name: this.place.service }),
      definition,
    );
    if (reply.status === 400) throw new RegistrationRefused(sentence("the registration", reply));
    expectOk("the registration", reply);
    // An agent that knew the check keeps its state, whatever the definition says: critical, for a server that was dead.
    if (this.#hasTtl && !(await this.#beat(health, signal))) {
      throw new Error("Consul took the registration and does not know its check");
    }
    if (!this.#isSwept) await this.#sweep(signal);
  }

  keep(health: ServiceHealth, signal: AbortSignal): Promise<boolean> {
    return this.#hasTtl ? this.#beat(health, signal) : this.#look(signal);
  }

  async deregister(signal: AbortSignal): Promise<void> {
    const reply = await this.#ask(signal, (consul, common) =>
      consul.agent.service.deregister({ ...common, id: this.id }),
    );
    if (!isUnknown(reply)) expectOk("the deregistration", reply);
  }

  /** Each request closes what it opened. */
  release(): void {}

  get #hasTtl(): boolean {
    return "ttlMs" in this.service.check;
  }

  async #beat({ status, note }: ServiceHealth, signal: AbortSignal): Promise<boolean> {
    const reply = await this.#ask(signal, (consul, common) =>
      consul.agent.check[CALLS[status]]({ ...common, id: this.#checkId, note }),
    );
    if (isUnknown(reply)) return false;
    expectOk("the heartbeat", reply);
    return true;
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const checks = await this.#checks(signal);
    const own = checks[this.#checkId];
    if (own === undefined) return false;
    this.#seen = own.Status ?? null;
    return true;
  }

  /** Takes away the checks of an older registration that had others: one of them, critical for ever, would be enough. */
  async #sweep(signal: AbortSignal): Promise<void> {
    for (const id of Object.keys(await this.#checks(signal))) {
      if (id === this.#checkId || id.startsWith(MAINTENANCE)) continue;
      const reply = await this.#ask(signal, (consul, common) =>
        consul.agent.check.deregister({ ...common, id }),
      );
      if (!isUnknown(reply)) expectOk(`the end of the check ${id}`, reply);
    }
    this.#isSwept = true;
  }

  /** The checks of this service, by their ids. */
  async #checks(signal: AbortSignal): Promise<Readonly<Record<string, { readonly Status?: ServiceStatus }>>> {
    const filter = `ServiceID == "${this.id}"`;
    const reply = await this.#ask(signal, (consul, common) => consul.agent.check.list({ ...common, filter }));
    expectOk("the question for its checks", reply);
    if (typeof reply.body !== "object" || reply.body === null) {
      throw new Error("Consul answered the question for its checks with something else");
    }
    // An agent that does not heed the filter tells of everybody's, and what is not ours is not to be touched.
    const own = Object.entries(reply.body).filter(
      ([, check]) => Reflect.get(check ?? {}, "ServiceID") === this.id,
    );
    return Object.fromEntries(own);
  }

  #ask(
    signal: AbortSignal,
    call: ConsulCall,
    body?: Readonly<Record<string, unknown>>,
  ): Promise<ConsulReply> {
    const timeoutMs = Math.min(this.#timeoutMs, Math.max(this.keepEveryMs, MIN_TIMEOUT_MS));
    // Whoever awaits a registration keeps the process alive himself.
    return this.#http.request(call, {
      timeoutMs,
      signal,
      isAwaited: false,
      ...(body !== undefined && { body }),
    });
  }
}

/** The agent knows no such service or check, or one that has no TTL; older versions say so with a 500. */
function isUnknown({ status, said }: ConsulReply): boolean {
  if (status === 404) return true;
  return status === 500 && /unknown (?:check|service)|does not have associated TTL/i.test(said);
}

/** @throws Error for a status that says that it was not done */
function expectOk(what: string, reply: ConsulReply): void {
  if (reply.status !== 200) throw new Error(sentence(what, reply));
}

function sentence(what: string, { status, said }: ConsulReply): string {
  return `Consul answered ${what} with ${status}${said === "" ? "" : `: ${said}`}`;
}
