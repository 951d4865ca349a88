import type { Endpoint } from "../../core/index.js";
import type { Discovery } from "../../discovery/index.js";

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

/** The endpoints of one or several targets, as they change. */
export class ResolvedServers implements ServerDiscovery {
  #isStarted = false;

  constructor(private readonly discovery: Discovery) {}

  start(listener: ServersListener): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.discovery.start({
      onEndpoints: (endpoints) => {
        // Servers that nobody knows any more may still be there; none would be worse.
        if (endpoints.length > 0) listener.onServers(endpoints);
        else listener.onDiscoveryError(this.discovery.outlook().text);
      },
      onError: (error) => listener.onDiscoveryError(error.message),
    });
  }

  refresh(): void {
    if (this.#isStarted) this.discovery.refresh();
  }

  close(): void {
    this.discovery.close();
  }
}
