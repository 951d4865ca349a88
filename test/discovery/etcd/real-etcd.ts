import { onTestFinished } from "vitest";
import { findEtcd } from "../../../scripts/etcd-cluster.mjs";
import { freePorts, ProcessFleet } from "../../../scripts/servers/process-fleet.mjs";
import { until } from "../../support/event-loop.js";

// In CI a missing etcd is a failure: the tests then run, and say what is missing.
export const mustSkip = findEtcd() === undefined && !process.env["CI"];
export const whySkipped = mustSkip ? " (SKIPPED: etcd is not on PATH; apt-get install etcd-server)" : "";

/** Asks etcd through its own JSON gateway, where bytes are base64 and 64-bit numbers are text. */
export async function ask(address: string, path: string, body: object, token?: string): Promise<Reply> {
  const headers = { connection: "close", ...(token !== undefined && { authorization: token }) };
  const response = await fetch(`http://${address}/v3/${path}`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  const reply = (await response.json()) as Reply;
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${JSON.stringify(reply)}`);
  return reply;
}

/** What of the gateway's answers tests look at. */
export interface Reply {
  readonly header?: { readonly revision?: string };
  readonly kvs?: readonly { readonly key: string; readonly value: string; readonly lease?: string }[];
  readonly token?: string;
  readonly TTL?: string;
}

export const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** One key as it stands; undefined for none. */
export async function read(
  address: string,
  key: string,
): Promise<{ value: string; lease: string } | undefined> {
  const { kvs = [] } = await ask(address, "kv/range", { key: base64(key) });
  const [pair] = kvs;
  if (pair === undefined) return undefined;
  return { value: Buffer.from(pair.value, "base64").toString(), lease: pair.lease ?? "0" };
}

export async function put(address: string, key: string, value: string, token?: string): Promise<number> {
  const { header } = await ask(address, "kv/put", { key: base64(key), value: base64(value) }, token);
  return Number(header?.revision);
}

export async function remove(address: string, key: string): Promise<void> {
  await ask(address, "kv/deleterange", { key: base64(key) });
}

/** All of them in one revision. */
export async function putAll(
  address: string,
  pairs: readonly (readonly [key: string, value: string])[],
): Promise<void> {
  const success = pairs.map(([key, value]) => ({ requestPut: { key: base64(key), value: base64(value) } }));
  await ask(address, "kv/txn", { success });
}

/** What the member counts, by the name of the metric. */
export async function metric(address: string, name: string): Promise<number> {
  const response = await fetch(`http://${address}/metrics`, { headers: { connection: "close" } });
  return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(await response.text())?.[1] ?? 0);
}

/** One etcd of the running test, started with further flags; gone after it. */
export async function singleEtcd(flags: readonly string[] = []) {
  const [client, peer, health] = (await freePorts(3)) as [number, number, number];
  const fleet = new ProcessFleet("holdfast-etcd-");
  onTestFinished(() => fleet.stop());
  const address = `127.0.0.1:${client}`;
  const scheme = flags.some((flag) => flag.startsWith("--cert-file")) ? "https" : "http";
  const urls = [
    `--listen-client-urls=${scheme}://${address}`,
    `--advertise-client-urls=${scheme}://${address}`,
    `--listen-metrics-urls=http://127.0.0.1:${health}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-cluster=default=http://127.0.0.1:${peer}`,
  ];
  const variables = Object.entries(process.env).filter(([name]) => !name.startsWith("ETCD"));
  const server = fleet.add({
    name: "default",
    command: findEtcd() ?? "etcd",
    args: ["--data-dir=data", "--logger=zap", "--log-outputs=stderr", ...urls, ...flags],
    cwd: fleet.folder,
    env: {
      ...Object.fromEntries(variables),
      ...(process.arch !== "x64" && { ETCD_UNSUPPORTED_ARCH: process.arch }),
    },
  });
  /** Starts it, for the first time or again, and waits until it serves. */
  const start = async () => {
    server.start();
    await until(() => isHealthy(`127.0.0.1:${health}`).catch(() => false), "a start of etcd", 20_000).catch(
      (error: Error) => {
        throw new Error(`${error.message}:\n${server.logTail()}`);
      },
    );
  };
  await start();
  return { address, server, folder: fleet.folder, start };
}

async function isHealthy(address: string): Promise<boolean> {
  const response = await fetch(`http://${address}/health`, { headers: { connection: "close" } });
  return ((await response.json()) as { health: string }).health === "true";
}
