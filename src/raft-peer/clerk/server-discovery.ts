import type { Endpoint } from "../../core/index.js";
import type { Resolver } from "../../discovery/index.js";

/** Who is told which servers there are. */
export interface ServersListener {
  onServers(endpoints: readonly Endpoint[]): void;
  /** The servers could not be looked up; those known stay. */
  onDiscoveryError(text: string): void;
}

/** Where a Clerk's servers come from. */
export interface ServerDiscovery {
  /** Begins on the first call; may be called again. */
  start(listener: ServersListener): void;
  /** The servers known do not do: ask again soon. */
  refresh(): void;
  close(): void;
}

/** A fixed list, known from the start. */
export class FixedServers implements ServerDiscovery {
  #isStarted = false;

  constructor(private readonly endpoints: readonly Endpoint[]) {}

  start(listener: ServersListener): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    listener.onServers(this.endpoints);
  }

  refresh(): void {}

  close(): void {}
}

/** The endpoints of a target, as they change. */
export class ResolvedServers implements ServerDiscovery {
  #isStarted = false;

  constructor(private readonly resolver: Resolver) {}

  start(listener: ServersListener): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.resolver.start({
      onEndpoints: (endpoints) => listener.onServers(endpoints),
      onError: (error) => listener.onDiscoveryError(error.message),
    });
  }

  refresh(): void {
    if (this.#isStarted) this.resolver.refresh();
  }

  close(): void {
    this.resolver.close();
  }
}
