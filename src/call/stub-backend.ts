import type { ChannelInterface } from "@grpc/grpc-js";
import { type Clock, configInvalid, type EventHub, type Random } from "../core/index.js";
import type { Backend } from "./backend.js";
import { Breakers } from "./breakers.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import type { EndpointStats } from "./channel-stats.js";
import type { Compression } from "./compression.js";
import { stateWord } from "./connectivity.js";
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

  constructor(
    readonly ownChannel: ChannelInterface,
    options: ResolvedChannelOptions,
    deps: StubBackendDeps,
  ) {
    this.mode = options.enabled ? "stub-channel" : "disabled";
    this.target = ownChannel.getTarget();
    const breakers = new Breakers(options.breaker, options.maxEjectionPercent, {
      ...deps,
      onChange: () => {},
      members: () => [{ address: this.target, isReady: true, gate: this.transport.gate }],
    });
    this.transport = new StubChannelTransport(ownChannel, breakers.gateFor(this.target), () =>
      deps.clock.now(),
    );
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
    const { address, gate, inFlight, connectivity } = this.transport;
    return [
      {
        address,
        state: stateWord(connectivity),
        isSuspect: false,
        callsInFlight: inFlight,
        breaker: gate.state,
        retryInMs: null,
        lastError: null,
      },
    ];
  }

  updateEndpoints(): void {
    const details =
      "updateEndpoints: this stub was hardened without credentials, so it has no pool; give credentials";
    throw configInvalid(details);
  }

  resetBackoff(): void {}

  tick(): void {}

  enterIdle(): void {}

  release(): void {}

  destroy(): void {}
}
