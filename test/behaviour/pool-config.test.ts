import { Holdfast } from "holdfast";
import { expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/grpc/health/v1/health.js";
import { ConfigFolder } from "../config/config-folder.js";
import { CounterClient, type CountingServer, fail, unavailable } from "../support/counting-server.js";
import { endings, Stage } from "../support/stage.js";
import { healthyServer, sequentially } from "./pool-servers.js";

const stage = new Stage();
const ONCE = { deadline: Number.POSITIVE_INFINITY };

/** A stub whose channel a file describes. */
async function fromFile(addresses: readonly string[], lines: readonly string[]) {
  const folder = new ConfigFolder();
  stage.use({ close: () => folder.remove() });
  const options = ["insecure: true", "retry: { maxAttempts: 1 }", ...lines].map((line) => `    ${line}\n`);
  const target = `    target: static:///${addresses.join(",")}\n`;
  const file = folder.write("holdfast.yaml", `channels:\n  kv:\n${target}${options.join("")}`);
  const holdfast = await Holdfast.fromFile(file);
  stage.use({ close: () => holdfast.close({ drainMs: 0 }) });
  return { client: holdfast.stub("kv", CounterClient), channel: holdfast.channel("kv") };
}

async function pair(): Promise<[CountingServer, CountingServer]> {
  return [await stage.server(), await stage.server()];
}

it.each([
  ["count", "breaker: { count: { size: 4, threshold: 0.5 } }", 4],
  ["sampling", "breaker: { sampling: { durationMs: 1000, threshold: 0.5, minimumRps: 6 } }", 6],
  ["consecutiveFailures", "breaker: { consecutiveFailures: 2, scope: method }", 2],
])("a file's breaker opens by its rule: %s", async (_, line, failures) => {
  const server = await stage.server({ handler: unavailable() });
  const { client } = await fromFile([server.address], [line]);

  const results = await sequentially(client, failures + 3, ONCE);

  expect(endings(results)).toEqual({
    "UNAVAILABLE REMOTE maybe": failures,
    "UNAVAILABLE CIRCUIT_OPEN no": 3,
  });
});

it("a file's slowCalls opens on answers that are late", async () => {
  const server = await stage.server({
    handler: (call, callback) => void setTimeout(() => callback(null, call.request), 30),
  });
  const { client } = await fromFile(
    [server.address],
    ["breaker: { slowCalls: { slowerThanMs: 5, size: 3 } }"],
  );

  const results = await sequentially(client, 5, ONCE);

  expect(endings(results)).toEqual({ OK: 3, "UNAVAILABLE CIRCUIT_OPEN no": 2 });
});

it("a file's policy, weights aside, health and floor hold: nobody goes where nobody serves", async () => {
  const [sick, well] = [await healthyServer(stage), await healthyServer(stage)];
  sick.health.set("kv", Serving.NOT_SERVING);
  well.health.set("kv", Serving.SERVING);
  const { client, channel } = await fromFile(
    [sick.address, well.address],
    ["loadBalancing: { policy: least_request, choiceCount: 3 }", "health: { serviceName: kv }"],
  );

  const results = await sequentially(client, 6, ONCE);

  expect(endings(results)).toEqual({ OK: 6 });
  expect([sick.served, well.served]).toEqual([0, 6]);
  expect(channel.endpoints().map(({ health }) => health)).toEqual(["not-serving", "serving"]);
});

it("a file's outlier ejection takes out who fails more than the others", async () => {
  const [bad, good] = await pair();
  bad.unary = fail(14, "broken");
  const ejection =
    "outlierEjection: { intervalMs: 1, failurePercentage: { threshold: 50, minimumHosts: 1, requestVolume: 3 } }";
  const { client, channel } = await fromFile([bad.address, good.address], ["breaker: false", ejection]);
  const ejected = new Promise<string>((resolve) => {
    channel.onEvent((event) => event.type === "endpoint.ejected" && resolve(event.endpoint));
  });

  await sequentially(client, 10, ONCE);

  expect(await ejected).toBe(bad.address);
  expect(endings(await sequentially(client, 5, ONCE))).toEqual({ OK: 5 });
});

it("a file's mistakes about the pool are told all at once, each by its place", async () => {
  const wrong = fromFile(
    ["a:1"],
    [
      "loadBalancing: { policy: least_request, choiceCount: 1 }",
      "breaker: { consecutiveFailures: 2, count: { size: 4 }, probedBy: health }",
      "subsetting: { policy: random_subsetting, subsetSize: 0 }",
      "slowStartMs: -1",
      "minConnections: 3",
      "maxConnections: 2",
    ],
  );

  const text = String(await wrong.catch((error: unknown) => error));

  for (const part of [
    "choiceCount",
    "consecutiveFailures",
    "probedBy",
    "subsetSize",
    "slowStartMs",
    "minConnections",
  ]) {
    expect(text).toContain(part);
  }
});
