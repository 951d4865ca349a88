import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type ConsulNode, startConsul, startConsulCluster } from "../../scripts/consul-cluster.mjs";
import { mustSkipConsul, whyNoConsul } from "../support/consul-agent.js";
import { ConsulApi } from "../support/consul-api.js";
import { shellScript } from "../support/fake-go.js";
import { tempFolder } from "../support/temp-folder.js";

const LIMIT_MS = 60_000;

describe.skipIf(mustSkipConsul)(`a real cluster of Consul${whyNoConsul}`, { timeout: LIMIT_MS }, () => {
  it("elects another leader when one dies or freezes", async () => {
    const { cluster, serviceOf } = await clusterWithService();
    const first = await cluster.waitForLeader();

    await first.kill();
    const second = await cluster.waitForLeader();
    const known = await serviceOf(second);
    first.restart();
    await first.waitReady();
    second.freeze();
    const third = await cluster.waitForLeader();
    second.thaw();
    const leader = await cluster.waitForLeader();
    await second.waitReady();

    expect([second.name, third.name]).toEqual([
      expect.not.stringContaining(first.name),
      expect.not.stringContaining(second.name),
    ]);
    expect([leader.name, known]).toEqual([third.name, ["echo-1"]]);
    expect(await Promise.all(cluster.nodes.map(serviceOf))).toEqual(Array(3).fill(["echo-1"]));
  });

  it("keeps the state of a cluster on disk while all of it is dead", async () => {
    const { cluster, serviceOf } = await clusterWithService();

    await Promise.all(cluster.nodes.map((node) => node.kill()));
    for (const node of cluster.nodes) node.restart();
    await Promise.all(cluster.nodes.map((node) => node.waitReady()));

    expect(await Promise.all(cluster.nodes.map(serviceOf))).toEqual(Array(3).fill(["echo-1"]));
  });

  it("leaves nothing behind when its start is given up", async () => {
    const folder = tempFolder();
    vi.stubEnv("TMPDIR", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const abort = new AbortController();
    const starting = startConsulCluster({ signal: abort.signal });
    await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1));

    abort.abort();

    await expect(starting).rejects.toThrow();
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.skipIf(process.platform === "win32")("the start of Consul", () => {
  it("tries other ports, three times in all, when somebody takes one meanwhile, and leaves nothing behind", async () => {
    const folder = putConsul(`echo x >> "$0.runs"; echo "listen tcp: bind: address already in use"; exit 1`);

    await expect(startConsul()).rejects.toThrow(
      /ended by itself; its last lines:\n.*address already in use$/,
    );

    expect(readFileSync(join(folder, "consul.runs"), "utf8")).toBe("x\nx\nx\n");
  });

  it("hands it nothing of the user's own Consul", async () => {
    vi.stubEnv("CONSUL_HTTP_TOKEN", "mine");
    putConsul(`echo "token: <$CONSUL_HTTP_TOKEN>"; exit 1`);

    await expect(startConsul()).rejects.toThrow(/\ntoken: <>$/);
  });

  it("says how to get Consul where there is none", async () => {
    vi.stubEnv("PATH", "");
    vi.stubEnv("XDG_CACHE_HOME", tempFolder());
    onTestFinished(() => void vi.unstubAllEnvs());

    await expect(startConsul()).rejects.toThrow(
      /^Consul is neither on PATH nor built; run: node scripts\/consul\.mjs$/,
    );
  });

  /** A Consul that does what the test says, first on PATH. */
  function putConsul(command: string): string {
    const folder = tempFolder();
    writeFileSync(join(folder, "consul"), shellScript(command), { mode: 0o755 });
    vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
    onTestFinished(() => void vi.unstubAllEnvs());
    return folder;
  }
});

/** A cluster in whose catalog there is a service, and which of its instances a node answers with. */
async function clusterWithService() {
  const cluster = await startConsulCluster();
  onTestFinished(() => cluster.stop());
  const service = { Service: "echo", ID: "echo-1", Port: 50051 };
  await new ConsulApi(cluster.nodes[0]!).registerInCatalog({
    Node: "far",
    Address: "10.0.0.1",
    Service: service,
  });
  const serviceOf = async (node: ConsulNode): Promise<string[]> => {
    const { entries } = await new ConsulApi(node).health("echo");
    return entries.map((entry) => entry.Service.ID);
  };
  return { cluster, serviceOf };
}
