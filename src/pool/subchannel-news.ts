import type { ConnectivityWord } from "../core/index.js";
import type { PoolDeps } from "./pool-deps.js";
import type { Incident } from "./slot.js";
import type { Subchannel } from "./subchannel.js";
import type { SubchannelOwner, SuspicionChange } from "./subchannel-owner.js";

/** What a pool does with the news of its endpoints beside acting on them: tells of it, and blames whom it concerns. */
export abstract class SubchannelNews implements SubchannelOwner<Subchannel> {
  constructor(protected readonly deps: PoolDeps) {}

  abstract onStanding(subchannel: Subchannel): void;
  abstract onRoom(): void;

  onState(subchannel: Subchannel, from: ConnectivityWord, to: ConnectivityWord, cause?: string): void {
    const { retryInMs, endpoint } = subchannel;
    this.deps.events.emit({
      type: "endpoint.state",
      endpoint: endpoint.address,
      from,
      to,
      ...(cause === undefined ? {} : { cause }),
      ...(retryInMs === null ? {} : { retryInMs: Math.round(retryInMs) }),
    });
    this.onStanding(subchannel);
  }

  onDialFailed(subchannel: Subchannel, error: string, isSpare: boolean): void {
    const endpoint = subchannel.endpoint.address;
    if (isSpare) this.deps.events.emit({ type: "connection.failed", endpoint, cause: error });
    else this.#blame(subchannel);
    this.deps.onTrouble();
  }

  onLost(subchannel: Subchannel, cause: string, callsInFlight: number, incident: Incident): void {
    const endpoint = subchannel.endpoint.address;
    this.deps.events.emit({ type: "connection.lost", endpoint, cause, callsInFlight });
    if (!incident.isCounted) this.#blame(subchannel);
    incident.isCounted = true;
    this.deps.onTrouble();
  }

  onDraining({ endpoint }: Subchannel, cause: string): void {
    this.deps.events.emit({ type: "connection.draining", endpoint: endpoint.address, cause });
    if (cause === "GOAWAY") this.deps.onTrouble();
  }

  onSuspicion(subchannel: Subchannel, change: SuspicionChange): void {
    this.deps.events.emit({ ...change, endpoint: subchannel.endpoint.address });
    this.onStanding(subchannel);
  }

  onEndedByPeer(livedMs: number): void {
    this.deps.onEndedByPeer?.(livedMs);
  }

  #blame({ endpoint, standing }: Subchannel): void {
    if (this.deps.isReadyElsewhere?.(endpoint.address) !== true) standing.lostConnection();
  }
}
