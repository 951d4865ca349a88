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

/** A stub's own channel as a backend, or one to pass through to: nothing of it is ours to connect or update. */
export class StubBackend implements Backend {
  readonly mode: Backend["mode"];
  readonly target: string;
  readonly transport: StubChannelTransport;
  readonly #standings: Standings;
  private readonly clock: Clock;
  /** What it compresses with; null where that cannot be seen. */
  readonly #compression: Compression | null;

  constructor(
    readonly ownChannel: ChannelInterface,
    options: ResolvedChannelOptions,
    deps: StubBackendDeps,
    /** The target of a channel that is ours to close; null for a stub's own. */
    private readonly passedThrough: string | null = null,
  ) {
    this.clock = deps.clock;
    this.mode = options.enabled ? "stub-channel" : "disabled";
    this.target = passedThrough ?? ownChannel.getTarget();
    this.#compression = passedThrough === null ? null : options.compression;
    this.#standings = new Standings(options, {
      ...deps,
      watches: null,
      onChange: () => {},
      total: () => 1,
      countOut: () => 0,
      isReady: () => true,
    });
    this.transport = new StubChannelTransport(
      ownChannel,
      this.#standings.of(ownChannel.getTarget()),
      deps.clock,
    );
  }

  get callsQueued(): number {
    return this.transport.queue.size;
  }

  /** There is no second channel for a call that asks for something else. */
  transportFor(compression: Compression | undefined): StubChannelTransport | null {
    return compression === undefined || compression === this.#compression ? this.transport : null;
  }

  wake(): void {}

  endpoints(): EndpointStats[] {
    const { address, standing, connectivity } = this.transport;
    const known = standingStats(standing, this.clock.now());
    return [{ ...unseenEndpoint(address), ...known, state: stateWord(connectivity) }];
  }

  discovery(): [] {
    return [];
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
      missing: this.#missing,
    };
  }

  get #missing(): string {
    if (this.passedThrough === null) return this.transport.missing;
    const { address, connectivity } = this.transport;
    return `the channel of grpc-js to ${address} is ${stateWord(connectivity)}`;
  }

  updateEndpoints(): void {
    const details =
      this.passedThrough === null
        ? "updateEndpoints: this stub was hardened without credentials, so it has no pool; give tls, credentials, or insecure: true"
        : `updateEndpoints: ${this.passedThrough} has no pool, as grpc-js chooses its servers; use another target`;
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
    if (address === this.ownChannel.getTarget()) return this.#standings.isolate(address);
    throw configInvalid(
      `isolate: ${JSON.stringify(address)} is no endpoint; allowed: ${this.ownChannel.getTarget()}`,
    );
  }

  verify(): void {}

  enterIdle(): void {}

  release(): void {
    if (this.passedThrough !== null) this.ownChannel.close();
  }

  destroy(): void {
    this.release();
  }
}
