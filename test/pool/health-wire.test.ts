import * as grpc from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Clock, systemClock, systemRandom } from "../../src/core/index.js";
import { HealthCheckResponse_ServingStatus as Serving } from "../../src/gen/grpc/health/v1/health.js";
import { EndpointHealth } from "../../src/pool/health-endpoint.js";
import { type HealthOptions, healthOptionsSchema } from "../../src/pool/health-options.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";
import type { WatchedConnection } from "../../src/pool/server-watch.js";
import { HealthServer } from "../support/health-server.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";
import { ManualClock } from "../support/manual-clock.js";
import { Tally } from "../support/tally.js";

const changed = { tally: new Tally("changes of health") };
const changes: string[] = [];
const channels: grpc.Channel[] = [];
let server: HealthServer;
let leaks: LeakBaseline;
let health: EndpointHealth | null = null;

beforeEach(async () => {
  leaks = await leakBaseline();
  changed.tally = new Tally("changes of health");
  server = await HealthServer.start();
});

afterEach(async () => {
  health?.close();
  for (const channel of channels.splice(0)) channel.close();
  changes.splice(0);
  await server.close();
  changed.tally.close();
  await leaks.expectClean();
});

/** A real connection, as far as one of grpc-js's channels is one. */
function connect(): WatchedConnection {
  const options = { "grpc.use_local_subchannel_pool": 1, "grpc.enable_retries": 0 };
  const channel = new grpc.Channel(server.address, grpc.credentials.createInsecure(), options);
  channels.push(channel);
  return {
    isLost: false,
    createCall: (method, deadline, host) => channel.createCall(method, deadline, host, null, null),
  };
}

interface Setting {
  readonly options?: HealthOptions;
  readonly clock?: Clock;
  readonly credentials?: grpc.CallCredentials;
}

function watch({
  options = { serviceName: "" },
  clock = systemClock,
  credentials,
}: Setting = {}): EndpointHealth {
  const { reconnectBackoff } = poolOptionsSchema.parse({});
  const deps = { clock, random: systemRandom, reconnectBackoff, credentials: credentials ?? null };
  const owner = {
    onChange: ({ status, detail }: EndpointHealth) => {
      changes.push(detail === null ? status : `${status}: ${detail}`);
      changed.tally.add();
    },
    onUnimplemented: () => void changes.push("unimplemented"),
  };
  health = new EndpointHealth(
    () => ({ address: server.address }),
    healthOptionsSchema.parse(options),
    owner,
    deps,
  );
  return health;
}

describe("health over a real server", () => {
  it("follows what the server says of a service, over one stream without a deadline (R82, R88)", async () => {
    server.set("kv", Serving.SERVING);
    const credentials = grpc.CallCredentials.createFromMetadataGenerator((_, callback) => {
      const metadata = new grpc.Metadata();
      metadata.set("authorization", "token");
      callback(null, metadata);
    });

    watch({ options: { serviceName: "kv" }, credentials }).add(connect());
    await changed.tally.reached(1);
    server.set("kv", Serving.NOT_SERVING);
    await changed.tally.reached(2);
    server.set("kv", Serving.SERVING);
    await changed.tally.reached(3);

    expect(changes).toEqual(["serving", "not-serving: NOT_SERVING", "serving"]);
    expect(server.watches).toBe(1);
    expect(server.deadlines).toEqual([Number.POSITIVE_INFINITY]);
    expect(server.metadata[0]?.get("authorization")).toEqual(["token"]);
  });

  it("says of a service that does not exist that it is unknown there, until it comes (R82)", async () => {
    watch({ options: { serviceName: "missing" } }).add(connect());
    await changed.tally.reached(1);

    server.set("missing", Serving.SERVING);
    await changed.tally.reached(2);

    expect(changes).toEqual(["not-serving: SERVICE_UNKNOWN", "serving"]);
  });

  it("recovers by itself after the server ends the Watch, with a backoff the second time (R84)", async () => {
    const clock = new ManualClock();
    watch({ clock }).add(connect());
    await changed.tally.reached(1);

    server.endWatches(grpc.status.INTERNAL, "restarting");
    await changed.tally.reached(2);
    server.watchBehaviour = "hang";
    await clock.advance(0);
    await server.watched(2);
    server.endWatches(grpc.status.OK);
    await changed.tally.reached(4);
    server.watchBehaviour = "serve";
    expect(server.watches).toBe(2);
    await clock.advance(1_200);
    await changed.tally.reached(6);

    expect(changes).toEqual([
      "serving",
      "not-serving: the Watch ended with INTERNAL: restarting",
      "unknown",
      "not-serving: the Watch ended with OK",
      "unknown",
      "serving",
    ]);
  });

  it("asks with Checks where Watch is refused, and sees a service that does not exist (R83, R89)", async () => {
    server.watchBehaviour = "unimplemented";
    const clock = { ...systemClock, now: () => 0 };
    const watched = watch({ options: { serviceName: "kv" }, clock });
    watched.add(connect());
    await changed.tally.reached(1);

    server.set("kv", Serving.SERVING);
    watched.tick(20_000);
    await changed.tally.reached(2);

    expect(changes).toEqual(["not-serving: the service does not exist there", "serving"]);
    expect([server.watches, server.checks]).toEqual([1, 2]);
  });

  it("counts a server without a health service as serving, and lets it be (R83)", async () => {
    server.watchBehaviour = "unimplemented";
    server.checkBehaviour = "unimplemented";
    const watched = watch();
    watched.add(connect());
    await changed.tally.reached(1);

    watched.tick(systemClock.now() + 60_000);

    expect(changes).toEqual(["serving", "unimplemented"]);
    expect([server.watches, server.checks]).toEqual([1, 1]);
  });

  it("is not serving where a Check hangs, once its time is up", async () => {
    server.checkBehaviour = "hang";

    watch({ options: { serviceName: "", useWatch: false, timeoutMs: 50 } }).add(connect());
    await changed.tally.reached(1);

    expect(changes[0]).toContain("not-serving: the Check ended with DEADLINE_EXCEEDED");
  });

  it("moves the one Watch to another connection, and the server sees the first one cancelled (R85)", async () => {
    const first = connect();
    const watched = watch();
    watched.add(first);
    watched.add(connect());
    await changed.tally.reached(1);

    watched.remove(first);
    await server.unwatched(1);
    await server.watched(2);

    expect(server.open.size).toBe(1);
    expect(changes).toEqual(["serving"]);
  });

  it("hands the server a thousand changes in a row, none of them lost at the end", async () => {
    watch().add(connect());
    await changed.tally.reached(1);

    for (let round = 0; round < 500; round++) {
      server.set("", Serving.NOT_SERVING);
      server.set("", Serving.SERVING);
    }
    await changed.tally.reached(1_001);

    expect(health?.status).toBe("serving");
    expect(server.watches).toBe(1);
  });
});
