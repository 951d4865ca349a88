import { fileURLToPath } from "node:url";
import { credentials } from "@grpc/grpc-js";
import { freePorts, ProcessFleet, type ServerProcess } from "../../scripts/servers/process-fleet.mjs";
import type { Cluster, ClusterNode } from "./cluster.js";
import { KVClient } from "./kv-stub.js";

const NODE_COUNT = 3;
const READY_TIMEOUT_MS = 20_000;
const SERVER = fileURLToPath(new URL("own-server.ts", import.meta.url));
/** `--import tsx` is looked up from here. */
const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** Three processes of `own-server.ts`; returns once all of them accept connections, unless `signal` gives that up. */
export async function startOwnCluster(signal: AbortSignal): Promise<Cluster> {
  const ports = await freePorts(NODE_COUNT);
  const fleet = new ProcessFleet("holdfast-own-");
  const nodes = ports.map((port, index) => startNode(fleet, `own-${index + 1}`, port));
  try {
    await Promise.all(nodes.map((node) => node.waitReady(signal)));
  } catch (error) {
    await fleet.stop();
    throw error;
  }
  return {
    kind: "own",
    nodes,
    findLeader: async () => undefined,
    waitRejoined: (node) => nodes.find((each) => each === node)!.waitReady(),
    stop: () => fleet.stop(),
  };
}

interface OwnNode extends ClusterNode {
  waitReady(signal?: AbortSignal): Promise<void>;
}

function startNode(fleet: ProcessFleet, name: string, port: number): OwnNode {
  const args = ["--import", "tsx", SERVER, String(port)];
  const server = fleet.add({ name, command: process.execPath, args, cwd: PROJECT, env: process.env });
  const address = `127.0.0.1:${port}`;
  server.start();
  return {
    name,
    address,
    get state() {
      return server.state;
    },
    kill: () => server.kill(),
    restart: () => server.start(),
    freeze: () => server.freeze(),
    thaw: () => server.thaw(),
    waitReady: (signal) => waitForConnection(address, server, signal),
  };
}

function waitForConnection(address: string, server: ServerProcess, signal?: AbortSignal): Promise<void> {
  // A short backoff, because the first dials meet a process that is still loading.
  const backoff = { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 200 };
  const client = new KVClient(address, credentials.createInsecure(), backoff);
  const giveUp = () => client.close();
  signal?.addEventListener("abort", giveUp);
  return new Promise((resolve, reject) => {
    client.waitForReady(Date.now() + READY_TIMEOUT_MS, (error) => {
      signal?.removeEventListener("abort", giveUp);
      client.close();
      if (!error) return resolve();
      reject(new Error(`${server.name} is not ready after ${READY_TIMEOUT_MS} ms:\n${server.logTail()}`));
    });
  });
}
