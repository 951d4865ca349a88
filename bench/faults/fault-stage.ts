import { FaultProxy } from "../../test/support/fault-proxy.js";
import type { FrozenProcess } from "../../test/support/frozen-process.js";
import { startTimed } from "../transport/timed-servers.js";

const SERVERS = 3;
const QUICK_MS = 10;
const SLOW_MS = 10 * QUICK_MS;
/** While a server is down its port may be another connection's for a moment. */
const RESTARTS = 5;

/** Three servers in processes of their own, each behind a proxy. What befalls the first one is the fault's to say. */
export class FaultStage {
  private constructor(
    private readonly servers: FrozenProcess[],
    /** In the servers' order. */
    readonly proxies: readonly FaultProxy[],
  ) {}

  static async start(): Promise<FaultStage> {
    const options = { delayMs: QUICK_MS, slowMs: SLOW_MS };
    const servers = await Promise.all(Array.from({ length: SERVERS }, () => startTimed(options)));
    const proxies = await Promise.all(servers.map(({ port }) => FaultProxy.start(port)));
    return new FaultStage(servers, proxies);
  }

  /** The server that breaks. */
  get server(): FrozenProcess {
    return this.servers[0] as FrozenProcess;
  }

  /** The network before it. */
  get proxy(): FaultProxy {
    return this.proxies[0] as FaultProxy;
  }

  /**
   * Where clients find the servers. A process that dies or freezes is met without a proxy, which would go on accepting.
   */
  addresses(isDirect: boolean): string[] {
    return (isDirect ? this.servers : this.proxies).map(({ address }) => address);
  }

  /** Starts the server again after a crash, on the same port. */
  async revive(): Promise<void> {
    const { port } = this.server;
    for (let attempt = 1; ; attempt++) {
      try {
        this.servers[0] = await startTimed({ port, delayMs: QUICK_MS, slowMs: SLOW_MS });
        return;
      } catch (error) {
        if (attempt === RESTARTS) throw error;
      }
    }
  }

  /** Makes the server ten times slower, and quick again the next time. */
  toggleSlow(): void {
    process.kill(this.server.pid, "SIGUSR2");
  }

  async close(): Promise<void> {
    await Promise.all(this.proxies.map((proxy) => proxy.close()));
    await Promise.all(this.servers.map((server) => server.close()));
  }
}
