/** One node of the cluster as a process: `node --import tsx examples/raft-kv/node.ts --help`. */
import { join } from "node:path";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import {
  addKvService,
  addRaftService,
  Holdfast,
  isReason,
  type RaftPeer,
  systemClock,
  systemRandom,
} from "holdfast";
import { UsageError } from "../shared/flags.js";
import { KvNode } from "./kv-node.js";
import { HELP, type NodeOptions, parseNodeOptions } from "./node-options.js";
import { FileDisk } from "./raft/file-disk.js";

const CANNOT_GO_ON = 1;
const WRONG_USE = 2;
/** Ending takes milliseconds; after this the process goes anyway. */
const STOP_LIMIT_MS = 2_000;

interface Cluster {
  readonly peers: readonly (RaftPeer | null)[];
  close(): Promise<void>;
}

async function main(args: readonly string[]): Promise<void> {
  const options = parseNodeOptions(args);
  if (options === null) return console.log(HELP);
  const cluster = await openCluster(options);
  const server = new Server();
  try {
    const node = openNode(options, cluster.peers);
    addRaftService(server, node.raft, { peers: cluster.peers });
    addKvService(server, node.kv);
    const address = await listen(server, options.listen);
    endOnSignals(node, server, cluster);
    node.start();
    console.log(`ready ${address}`);
  } catch (error) {
    server.forceShutdown();
    await cluster.close();
    throw error;
  }
}

/** This node's peers, set up from Holdfast's file. */
async function openCluster({ configPath, me }: NodeOptions): Promise<Cluster> {
  const holdfast = await Holdfast.fromFile(configPath);
  return { peers: holdfast.raftPeers("kv", { me }), close: () => holdfast.close({ drainMs: 0 }) };
}

function openNode({ me, dataPath, timing }: NodeOptions, peers: readonly (RaftPeer | null)[]): KvNode {
  const node = new KvNode({
    me,
    peers,
    timing,
    disk: new FileDisk(join(dataPath, "raft.log")),
    clock: systemClock,
    random: systemRandom,
    onRole: ({ role, term }) => console.error(`node ${me}: ${role.toLowerCase()} in term ${term}`),
    onFatal: (error) => fail(error, CANNOT_GO_ON),
  });
  if (node.cutBytes > 0)
    console.error(`node ${me}: cut ${node.cutBytes} bytes of a torn record off the end of its log`);
  return node;
}

function listen(server: Server, address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error !== null) reject(new Error(`cannot serve on ${address}: ${error.message}`));
      else resolve(address.replace(/\d+$/, String(port)));
    });
  });
}

function endOnSignals(node: KvNode, server: Server, cluster: Cluster): void {
  let isEnding = false;
  const end = (): void => {
    if (isEnding) return;
    isEnding = true;
    systemClock.setTimer(() => process.exit(0), STOP_LIMIT_MS);
    node.stop();
    // The answers that stopping gave are still to be sent: let calls end, then cut the connections.
    server.tryShutdown(() => void cluster.close());
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, end);
  // A parent that started this process with a channel to it, and has gone.
  process.on("disconnect", end);
}

function fail(error: unknown, exitCode: number): never {
  const isUsage = error instanceof UsageError;
  console.error(isUsage ? `${error.message}\nSee --help.` : error instanceof Error ? error.message : error);
  process.exit(exitCode);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  fail(error, error instanceof UsageError || isReason(error, "CONFIG_INVALID") ? WRONG_USE : CANNOT_GO_ON);
}
