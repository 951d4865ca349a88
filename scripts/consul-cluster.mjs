/**
 * Real Consul on free loopback ports, to be killed, restarted, frozen and continued: one agent that forgets everything
 * when it dies, or a cluster with its state in a temporary folder. Needs Consul on PATH or built by `consul.mjs`.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { findConsul } from "./consul.mjs";
import { portsOf, writeConfig } from "./servers/consul-config.mjs";
import { ConsulNode } from "./servers/consul-node.mjs";
import { ProcessFleet } from "./servers/process-fleet.mjs";
import { environmentWithout, ServerCluster, startCluster } from "./servers/server-cluster.mjs";

/** An agent that is a fleet of its own. */
class ConsulAgent extends ConsulNode {
  #fleet;

  constructor(server, facts, fleet) {
    super(server, facts);
    this.#fleet = fleet;
  }

  get folder() {
    return this.#fleet.folder;
  }

  stop() {
    return this.#fleet.stop();
  }
}

/** Starts one agent in development mode, which keeps its state in memory; returns it once it serves. */
export async function startConsul(options = {}) {
  const cluster = await start(["-dev"], 1, () => ({}), options);
  return cluster.nodes[0];
}

/** Starts a cluster; returns it once every server is healthy and one leads. */
export function startConsulCluster({ servers = 3, ...options } = {}) {
  const settings = (folder, name, allPorts) => ({
    bootstrap_expect: servers,
    data_dir: join(folder, name),
    retry_join: allPorts.map((ports) => `127.0.0.1:${ports.serf_lan}`),
    retry_interval: "200ms",
    // Or a server that stays dead for a while would have to earn its vote anew.
    autopilot: { cleanup_dead_servers: false },
  });
  return start([], servers, settings, options);
}

/** `settings` are those that make a cluster of the agents. */
function start(flags, count, settings, { acl = false, tls, config, ...limits }) {
  const consul = findConsul();
  if (consul === undefined)
    throw new Error(`Consul is neither on PATH nor built; run: node scripts/consul.mjs`);
  const token = acl ? randomUUID() : undefined;
  const launch = async () => {
    const allPorts = await portsOf(count);
    const fleet = new ProcessFleet("holdfast-consul-");
    const nodes = allPorts.map((ports, index) => {
      const name = `consul-${index + 1}`;
      const cluster = settings(fleet.folder, name, allPorts);
      const files = writeConfig(fleet.folder, name, ports, { token, tls, cluster, config });
      const args = ["agent", ...flags, ...files];
      const env = environmentWithout("CONSUL_");
      const server = fleet.add({ name, command: consul, args, cwd: fleet.folder, env });
      return new ConsulAgent(server, { ports, token, tls }, fleet);
    });
    return new ServerCluster("consul", fleet, nodes);
  };
  return startCluster(launch, limits);
}
