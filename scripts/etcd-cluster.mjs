/**
 * A real three-node etcd on free loopback ports, with its data in a temporary folder, to be killed, restarted, frozen
 * and continued node by node. `import { startEtcdCluster } from ".../etcd-cluster.mjs"`, or by hand:
 * `node scripts/etcd-cluster.mjs` (type `help` there). Needs `etcd` 3.4 or later on PATH, nothing else.
 */
import { join } from "node:path";
import { createInterface } from "node:readline";
import { whenRunByHand } from "./servers/by-hand.mjs";
import { EtcdNode } from "./servers/etcd-node.mjs";
import { findOnPath } from "./servers/on-path.mjs";
import { freePorts, ProcessFleet } from "./servers/process-fleet.mjs";
import { environmentWithout, ServerCluster, startCluster } from "./servers/server-cluster.mjs";
import { READY_TIMEOUT_MS, until } from "./servers/server-node.mjs";

const NODE_COUNT = 3;

/** Full path of `etcd` on PATH, or undefined. */
export function findEtcd() {
  return findOnPath("etcd");
}

class EtcdCluster extends ServerCluster {
  constructor(fleet, nodes) {
    super("etcd", fleet, nodes);
  }

  /** Waits until a restarted node is a full member again: healthy, and past what the leader had when asked. */
  async waitInSync(node, timeoutMs = READY_TIMEOUT_MS) {
    await node.waitReady(timeoutMs);
    const leader = await this.waitForLeader(timeoutMs);
    const goal = BigInt((await leader.status()).raftIndex);
    const caughtUp = async () => BigInt((await node.status()).raftAppliedIndex) >= goal;
    await until(timeoutMs, `${node.name} has not caught up`, caughtUp);
  }
}

/**
 * Starts the cluster and returns it once every node serves and one of them leads. Nothing is left if that fails or
 * `signal` aborts it; later the signal does nothing.
 */
export async function startEtcdCluster(options) {
  const etcd = findEtcd();
  if (etcd === undefined) throw new Error("etcd is not on PATH (Debian: apt-get install etcd-server)");
  return startCluster(() => makeCluster(etcd), options);
}

async function makeCluster(etcd) {
  const ports = await freePorts(2 * NODE_COUNT);
  const members = Array.from({ length: NODE_COUNT }, (_, index) => ({
    name: `etcd-${index + 1}`,
    client: `127.0.0.1:${ports[2 * index]}`,
    peer: `http://127.0.0.1:${ports[2 * index + 1]}`,
  }));
  const fleet = new ProcessFleet("holdfast-etcd-");
  const all = members.map((member) => `${member.name}=${member.peer}`).join(",");
  const nodes = members.map((member) => {
    const args = etcdArguments(member, all, fleet.folder);
    const server = fleet.add({
      name: member.name,
      command: etcd,
      args,
      cwd: fleet.folder,
      env: etcdEnvironment(),
    });
    return new EtcdNode(server, member.client);
  });
  return new EtcdCluster(fleet, nodes);
}

function etcdArguments(member, allMembers, folder) {
  const clientUrl = `http://${member.client}`;
  const flags = {
    name: member.name,
    "data-dir": join(folder, member.name),
    "listen-client-urls": clientUrl,
    "advertise-client-urls": clientUrl,
    "listen-peer-urls": member.peer,
    "initial-advertise-peer-urls": member.peer,
    "initial-cluster": allMembers,
    "initial-cluster-state": "new",
    "initial-cluster-token": folder,
    logger: "zap",
    "log-outputs": "stderr",
  };
  return Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
}

/** Every flag of etcd is also a variable ETCD_...: those of the user's own etcd must not reach ours. */
function etcdEnvironment() {
  // etcd 3.4 refuses to start on ARM unless told that this is meant.
  const unsupported = process.arch === "x64" ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch };
  return { ...environmentWithout("ETCD_"), ...unsupported };
}

const HELP = `commands: status, kill NAME, restart NAME, freeze NAME, thaw NAME, help, stop`;

async function describe(cluster) {
  const leads = await Promise.all(cluster.nodes.map((node) => node.isLeader().catch(() => false)));
  return cluster.nodes
    .map((node, index) => {
      const role = leads[index] ? "leader" : "";
      return [node.name, node.address, `pid ${node.pid ?? "-"}`, node.state, role].join("  ").trimEnd();
    })
    .join("\n");
}

async function obey(cluster, line) {
  const [command = "", name] = line.trim().split(/\s+/);
  if (command === "") return undefined;
  if (command === "status") return describe(cluster);
  if (command === "help") return HELP;
  if (!["kill", "restart", "freeze", "thaw"].includes(command))
    return `unknown command "${command}"; ${HELP}`;
  const node = cluster.nodes.find((each) => each.name === name);
  if (node === undefined)
    return `unknown node "${name ?? ""}"; there are ${cluster.nodes.map((each) => each.name)}`;
  await node[command]();
  return `${command} ${name}: done`;
}

async function runByHand() {
  const cluster = await startEtcdCluster();
  const stopAndExit = (code) => cluster.stop().then(() => process.exit(code));
  process.on("SIGINT", () => stopAndExit(130));
  process.on("SIGTERM", () => stopAndExit(143));
  const endpoints = cluster.nodes.map((node) => node.address).join(",");
  console.log(
    `${await describe(cluster)}\ndata in ${cluster.folder}\nexport ETCDCTL_API=3 ETCDCTL_ENDPOINTS=${endpoints}`,
  );
  console.log(`${HELP}; Ctrl-C stops everything`);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === "stop") return stopAndExit(0);
    const answer = await obey(cluster, line).catch((error) => error.message);
    if (answer !== undefined) console.log(answer);
  }
  // Standard input has ended (a pipe, or the background): stay until a signal comes.
  setInterval(() => {}, 60_000);
}

whenRunByHand(import.meta.url, runByHand);
