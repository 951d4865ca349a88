import type { CallCredentials } from "@grpc/grpc-js";
import type { Clock, Endpoint, EventHub, Random } from "../core/index.js";
import {
  EndpointHealth,
  LoadReportStream,
  LoadWeight,
  type PickerPolicy,
  type ResolvedHealthOptions,
  type StandingParts,
} from "../pool/index.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import { warnOnce } from "./warn-once.js";

export interface EndpointWatchesDeps {
  readonly target: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  readonly credentials: CallCredentials | null;
  endpointAt(address: string): Endpoint;
  onChange(address: string): void;
}

/** What endpoints are asked for beside the calls: their health (gRFC A17), and their load (gRFC A51). */
export class EndpointWatches {
  readonly #healths = new Map<string, EndpointHealth>();

  constructor(
    private readonly health: ResolvedHealthOptions | null,
    private readonly loadReports: PickerPolicy["loadReports"] | null,
    private readonly options: Pick<ResolvedChannelOptions, "reconnectBackoff">,
    private readonly deps: EndpointWatchesDeps,
  ) {}

  get needsTicks(): boolean {
    return this.health !== null || this.loadReports?.isOutOfBand === true;
  }

  partsOf(address: string): Pick<StandingParts, "makeHealth" | "load" | "loadStream"> {
    const { health, loadReports } = this;
    return {
      ...(health === null ? {} : { makeHealth: () => this.#newHealth(address, health) }),
      ...(loadReports ? this.#loadParts(loadReports) : {}),
    };
  }

  tick(now: number): void {
    for (const health of this.#healths.values()) health.tick(now);
  }

  forget(address: string): void {
    this.#healths.get(address)?.close();
    this.#healths.delete(address);
  }

  close(): void {
    for (const health of this.#healths.values()) health.close();
  }

  #newHealth(address: string, options: ResolvedHealthOptions): EndpointHealth {
    const { deps } = this;
    const health = new EndpointHealth(
      () => deps.endpointAt(address),
      options,
      {
        onChange: ({ status, detail }) => {
          const why = detail === null ? {} : { detail };
          deps.events.emit({ type: "endpoint.health", endpoint: address, status, ...why });
          deps.onChange(address);
        },
        onUnimplemented: () => {
          const what = `${address} has no health service, so it counts as healthy while it is connected`;
          warnOnce("HOLDFAST_NO_HEALTH", `${deps.target}: ${what}`, deps.target);
        },
      },
      this.#watchDeps,
    );
    this.#healths.set(address, health);
    return health;
  }

  #loadParts(source: NonNullable<PickerPolicy["loadReports"]>): Pick<StandingParts, "load" | "loadStream"> {
    const { clock } = this.deps;
    const isPerCall = !source.isOutOfBand;
    const load = Object.assign(new LoadWeight(source), { isPerCall });
    if (isPerCall) return { load };
    const owner = {
      onReport: (bytes: Uint8Array) => load.report(bytes, clock.now()),
      onUnimplemented: () => {},
    };
    return { load, loadStream: new LoadReportStream(source.oobReportingPeriodMs, owner, this.#watchDeps) };
  }

  get #watchDeps() {
    const { clock, random, credentials } = this.deps;
    return { clock, random, credentials, reconnectBackoff: this.options.reconnectBackoff };
  }
}
