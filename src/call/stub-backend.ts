import { type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import { type Clock, configInvalid, type EventHub, type Random, type Subscription } from "../core/index.js";
import type { Readiness } from "../pool/index.js";
import type { Backend } from "./backend.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import { type EndpointStats, standingStats, unseenEndpoint } from "./channel-stats.js";
import type { Compression } from "./compression.js";
import { stateWord } from "./connectivity.js";
import { Standings } from "./standings.js";
import { StubChannelTransport } from "./stub-channel.js";

export interface StubBackendDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
}

/** A stub's own channel as a backend: nothing of it is ours to connect, update or close. */
export class StubBackend implements Backend {
  readonly mode: Backend["mode"];
  readonly target: string;
  readonly transport: StubChannelTransport;
  readonly #standings: Standings;
  private readonly clock: Clock;

  constructor(
    readonly ownChannel: ChannelInterface,
    options: ResolvedChannelOptions,
    deps: StubBackendDeps,
  ) {
    this.clock = deps.clock;
    this.mode = options.enabled ? "stub-channel" : "disabled";
    this.target = ownChannel.getTarget();
    this.#standings = new Standings(options, {
      ...deps,
      watches: null,
      onChange: () => {},
      total: () => 1,
      countOut: () => 0,
      isReady: () => true,
    });
    this.transport = new StubChannelTransport(ownChannel, this.#standings.of(this.target), deps.clock);
  }

  get callsQueued(): number {
    return this.transport.queue.size;
  }

  /** What the stub's channel compresses with cannot be seen from here, so asking for anything by name is refused. */
  transportFor(compression: Compression | undefined): StubChannelTransport | null {
    return compression === undefined ? this.transport : null;
  }

  wake(): void {}

  endpoints(): EndpointStats[] {
    const { address, standing, connectivity } = this.transport;
    const known = standingStats(standing, this.clock.now());
    return [{ ...unseenEndpoint(address), ...known, state: stateWord(connectivity) }];
  }

  connectOne(): void {
    this.ownChannel.getConnectivityState(true);
  }

  readiness(): Readiness {
    const isReady = this.ownChannel.getConnectivityState(true) === connectivityState.READY;
    return {
      ready: isReady ? 1 : 0,
      wanted: 1,
      failed: null,
      isUnwell: false,
      isIdle: false,
      missing: this.transport.missing,
    };
  }

  updateEndpoints(): void {
    const details =
      "updateEndpoints: this stub was hardened without credentials, so it has no pool; give tls, credentials, or insecure: true";
    throw configInvalid(details);
  }

  resetBackoff(): void {}

  get isWatchful(): boolean {
    return this.#standings.isWatchful;
  }

  tick(): void {
    this.#standings.tick(this.clock.now());
  }

  isolate(address: string): Subscription {
    if (address === this.target) return this.#standings.isolate(address);
    throw configInvalid(`isolate: ${JSON.stringify(address)} is no endpoint; allowed: ${this.target}`);
  }

  verify(): void {}

  enterIdle(): void {}

  release(): void {}

  destroy(): void {}
}
