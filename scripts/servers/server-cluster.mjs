/** Servers on free loopback ports, started together and stopped together, whatever they serve. */
import { Hopeless, READY_TIMEOUT_MS, until } from "./server-node.mjs";

const START_ATTEMPTS = 3;

/** The nodes of one fleet. */
export class ServerCluster {
  #fleet;

  constructor(kind, fleet, nodes) {
    this.kind = kind;
    this.#fleet = fleet;
    this.nodes = nodes;
  }

  get folder() {
    return this.#fleet.folder;
  }

  /** The node that leads now, waited for; nodes that do not answer are no leaders. */
  async waitForLeader(timeoutMs = READY_TIMEOUT_MS) {
    return until(timeoutMs, `${this.kind} has no leader`, async () => {
      if (this.#fleet.isStopped) throw new Hopeless("the cluster has been stopped");
      const running = this.nodes.filter((node) => node.state === "running");
      const answers = await Promise.all(running.map((node) => node.isLeader().catch(() => false)));
      return running.find((_node, index) => answers[index]);
    });
  }

  /** Kills the nodes, frozen ones too, and removes their data. */
  stop() {
    return this.#fleet.stop();
  }
}

/**
 * Starts what `launch` makes and returns it once every node serves and one of them leads. Nothing is left if that fails
 * or `signal` aborts it; later the signal does nothing.
 */
export async function startCluster(launch, { timeoutMs = READY_TIMEOUT_MS, signal } = {}) {
  for (let attempt = 1; ; attempt += 1) {
    const cluster = await launch();
    const stop = () => cluster.stop();
    signal?.addEventListener("abort", stop);
    try {
      signal?.throwIfAborted();
      for (const node of cluster.nodes) node.restart();
      await Promise.all(cluster.nodes.map((node) => node.waitReady(timeoutMs)));
      await cluster.waitForLeader(timeoutMs);
      return cluster;
    } catch (error) {
      await cluster.stop();
      // Somebody took a port between our look and the server's start: other ports, another try.
      if (error.isPortTaken && attempt < START_ATTEMPTS) continue;
      throw error.log === undefined ? error : new Error(`${error.message}; its last lines:\n${error.log}`);
    } finally {
      signal?.removeEventListener("abort", stop);
    }
  }
}

/** Our environment without the variables by which the user's own server of that kind is set up. */
export function environmentWithout(prefix) {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith(prefix)));
}
