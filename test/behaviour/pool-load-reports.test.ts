import * as grpc from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { OrcaLoadReport } from "../../src/gen/xds/data/orca/v3/orca_load_report.js";
import {
  type OpenRcaServiceServer as Handlers,
  OpenRcaServiceService,
  type OrcaLoadReportRequest,
} from "../../src/gen/xds/service/orca/v3/orca.js";
import { type CountingServer, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { endings, Stage } from "../support/stage.js";
import { Tally } from "../support/tally.js";
import { advanceUntil, type HealthyServer, healthyServer, sequentially } from "./pool-servers.js";

const stage = new Stage();
const once = callOptions({ retry: false, timeoutMs: 3_600_000 });
const KEY = "endpoint-load-metrics-bin";
const PER_CALL = {
  loadBalancing: {
    policy: "weighted_round_robin",
    source: "load_reports",
    blackoutMs: 0,
    weightUpdateMs: 100,
  },
};
const OUT_OF_BAND = { loadBalancing: { ...PER_CALL.loadBalancing, oobLoadReports: true } };

/** A server with this load answers a hundred calls per second. */
function report(utilization: number): OrcaLoadReport {
  return OrcaLoadReport.fromPartial({ rpsFractional: 100, applicationUtilization: utilization });
}

/** Sends this load with every answer. */
function withReports(server: CountingServer, utilization: number): void {
  server.unary = (call, callback) => {
    const trailers = new grpc.Metadata();
    trailers.set(KEY, Buffer.from(OrcaLoadReport.encode(report(utilization)).finish()));
    callback(null, call.request, trailers);
  };
}

/** Each server's share of the calls since `before`, in percent. */
function shares(served: readonly number[], before: readonly number[]): number[] {
  const counts = served.map((count, index) => count - (before[index] ?? 0));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => Math.round((100 * count) / total));
}

/** A server that reports its load out of band when the test says so. */
class ReportingServer {
  readonly asked: OrcaLoadReportRequest[] = [];
  readonly #open = new Set<grpc.ServerWritableStream<OrcaLoadReportRequest, OrcaLoadReport>>();
  readonly #begun = new Tally("report streams");
  server!: HealthyServer;

  static async start(): Promise<ReportingServer> {
    const reporting = new ReportingServer();
    const handlers: Handlers = {
      streamCoreMetrics: (call) => {
        reporting.asked.push(call.request);
        reporting.#open.add(call);
        call.on("cancelled", () => reporting.#open.delete(call));
        call.on("error", () => {});
        reporting.#begun.add();
      },
    };
    reporting.server = await healthyServer(stage, (server) =>
      server.addService(OpenRcaServiceService, handlers),
    );
    return reporting;
  }

  get streams(): number {
    return this.#open.size;
  }

  begun(count: number): Promise<void> {
    return this.#begun.reached(count);
  }

  report(utilization: number): void {
    for (const call of this.#open) call.write(report(utilization));
  }

  end(code: grpc.status): void {
    for (const call of this.#open) call.emit("error", { code, details: "ended by the test" });
    this.#open.clear();
  }
}

describe("weights by the load that servers report with their answers", () => {
  it("share the calls: a server at a third of another's load gets three times its calls (R119, R124)", async () => {
    const clock = new LoopbackClock();
    const servers = [await stage.server(), await stage.server()] as [CountingServer, CountingServer];
    withReports(servers[0], 0.25);
    withReports(servers[1], 0.75);
    const { client, channel } = stage.harden(servers, PER_CALL, { clock });
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 4, once);
    await clock.advance(1_000);
    const before = servers.map(({ executions }) => executions.Unary);

    const results = await sequentially(client, 100, once);

    expect(endings(results)).toEqual({ OK: 100 });
    expect(
      shares(
        servers.map(({ executions }) => executions.Unary),
        before,
      ),
    ).toEqual([75, 25]);
  });

  it("follow when the load changes, and are even while it is not known (R122)", async () => {
    const clock = new LoopbackClock();
    const servers = [await stage.server(), await stage.server()] as [CountingServer, CountingServer];
    const { client, channel } = stage.harden(servers, PER_CALL, { clock });
    await channel.ready({ endpoints: "all" });
    const measured = async (): Promise<number[]> => {
      await sequentially(client, 8, once);
      await clock.advance(1_000);
      const before = servers.map(({ executions }) => executions.Unary);
      await sequentially(client, 60, once);
      return shares(
        servers.map(({ executions }) => executions.Unary),
        before,
      );
    };

    const unknown = await measured();
    withReports(servers[0], 0.2);
    withReports(servers[1], 0.8);
    const first = await measured();
    withReports(servers[0], 0.8);
    withReports(servers[1], 0.2);
    const second = await measured();

    expect([unknown, first, second]).toEqual([
      [50, 50],
      [80, 20],
      [20, 80],
    ]);
  });

  it("are even again once reports have expired (R121)", async () => {
    const clock = new LoopbackClock();
    const servers = [await stage.server(), await stage.server()] as [CountingServer, CountingServer];
    withReports(servers[0], 0.2);
    withReports(servers[1], 0.8);
    const { client, channel } = stage.harden(servers, PER_CALL, { clock });
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 8, once);
    for (const server of servers) server.unary = (call, callback) => callback(null, call.request);
    await clock.advance(179_000);
    const before = servers.map(({ executions }) => executions.Unary);
    await sequentially(client, 50, once);
    const late = shares(
      servers.map(({ executions }) => executions.Unary),
      before,
    );
    await clock.advance(2_000);
    const expired = servers.map(({ executions }) => executions.Unary);
    await sequentially(client, 50, once);

    expect([
      late,
      shares(
        servers.map(({ executions }) => executions.Unary),
        expired,
      ),
    ]).toEqual([
      [80, 20],
      [50, 50],
    ]);
  });

  it("begin anew after a reconnect: the blackout holds again (R121)", async () => {
    const clock = new LoopbackClock();
    const servers = [await stage.server(), await stage.server()] as [CountingServer, CountingServer];
    withReports(servers[0], 0.2);
    withReports(servers[1], 0.8);
    const { client, channel, events } = stage.harden(
      servers,
      { loadBalancing: { ...PER_CALL.loadBalancing, blackoutMs: 10_000 } },
      { clock },
    );
    const [first] = servers;
    const measured = async (): Promise<number[]> => {
      const before = servers.map(({ executions }) => executions.Unary);
      await sequentially(client, 50, once);
      return shares(
        servers.map(({ executions }) => executions.Unary),
        before,
      );
    };
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 8, once);
    await clock.advance(9_000);
    const blackout = await measured();
    await clock.advance(2_000);
    const weighed = await measured();

    await first.restart();
    await events.first("endpoint.state", { endpoint: first.address, from: "READY" });
    const isBack = () => events.count("endpoint.state", { endpoint: first.address, to: "READY" }) >= 2;
    await advanceUntil(clock, isBack, "the reconnect", 500);
    const restarted = await measured();
    await clock.advance(11_000);
    const again = await measured();

    expect([blackout, weighed, restarted, again]).toEqual([
      [50, 50],
      [80, 20],
      [50, 50],
      [80, 20],
    ]);
  });

  it("come with answers that are errors, too (R124)", async () => {
    const clock = new LoopbackClock();
    const servers = [await stage.server(), await stage.server()] as [CountingServer, CountingServer];
    for (const [server, utilization] of [
      [servers[0], 0.25],
      [servers[1], 0.75],
    ] as const) {
      server.unary = (_call, callback) => {
        const metadata = new grpc.Metadata();
        metadata.set(KEY, Buffer.from(OrcaLoadReport.encode(report(utilization)).finish()));
        callback({ code: grpc.status.NOT_FOUND, details: "no such key", metadata });
      };
    }
    const { client, channel } = stage.harden(servers, PER_CALL, { clock });
    await channel.ready({ endpoints: "all" });
    await sequentially(client, 4, once);
    await clock.advance(1_000);
    const before = servers.map(({ executions }) => executions.Unary);

    await sequentially(client, 40, once);

    expect(
      shares(
        servers.map(({ executions }) => executions.Unary),
        before,
      ),
    ).toEqual([75, 25]);
  });

  it("are not disturbed by reports that are none", async () => {
    const servers = [await stage.server(), await stage.server()] as [CountingServer, CountingServer];
    servers[0].unary = (call, callback) => {
      const trailers = new grpc.Metadata();
      trailers.set(KEY, Buffer.from([255, 255, 255, 255]));
      callback(null, call.request, trailers);
    };
    const { client } = stage.harden(servers, PER_CALL);

    const results = await sequentially(client, 10, once);

    expect(endings(results)).toEqual({ OK: 10 });
  });
});

describe("weights by the load that servers report out of band", () => {
  it("share the calls: one stream for each server, however many connections; what is said with answers does not count (R124)", async () => {
    const clock = new LoopbackClock();
    const servers = [await ReportingServer.start(), await ReportingServer.start()];
    const endpoints = servers.map(({ server }) => server);
    const { client, channel } = stage.harden(endpoints, { ...OUT_OF_BAND, poolSize: 2 }, { clock });
    for (const server of endpoints) {
      server.unary = (call, callback) => {
        const trailers = new grpc.Metadata();
        trailers.set(KEY, Buffer.from(OrcaLoadReport.encode(report(0.5)).finish()));
        callback(null, call.request, trailers);
      };
    }
    await channel.ready({ endpoints: "all" });
    await Promise.all(servers.map((server) => server.begun(1)));
    servers[0]?.report(0.25);
    servers[1]?.report(0.75);
    await unary(client, "behind the reports", once);
    await unary(client, "on the other's connection, too", once);
    await clock.advance(1_000);
    const before = endpoints.map(({ served }) => served);

    await sequentially(client, 100, once);

    expect(
      shares(
        endpoints.map(({ served }) => served),
        before,
      ),
    ).toEqual([75, 25]);
    expect(servers.map(({ streams }) => streams)).toEqual([1, 1]);
    expect(servers[0]?.asked[0]?.reportInterval).toMatchObject({ seconds: 10n, nanos: 0 });
    expect(channel.stats().calls.started).toBe(102);
  });

  it("are asked for again when the stream ends, and on the next connection (R124)", async () => {
    const reporting = await ReportingServer.start();
    const { channel } = stage.harden([reporting.server], {
      ...OUT_OF_BAND,
      reconnectBackoff: { initialMs: 10, maxMs: 10 },
    });
    await channel.ready();
    await reporting.begun(1);

    reporting.end(grpc.status.INTERNAL);
    await reporting.begun(2);
    await reporting.server.health.restart();
    await reporting.begun(3);

    expect(channel.endpoints()[0]).toMatchObject({ breaker: "closed", picks: 0 });
  });

  it("are not asked for again where there are none, and calls go round (R124)", async () => {
    const servers = [await stage.server(), await stage.server()];
    const { client, channel } = stage.harden(servers, OUT_OF_BAND);
    await channel.ready({ endpoints: "all" });

    const results = await sequentially(client, 10, once);

    expect(endings(results)).toEqual({ OK: 10 });
    expect(servers.map(({ executions }) => executions.Unary)).toEqual([5, 5]);
  });

  it("are no longer asked for once the endpoint is gone, or the channel closed", async () => {
    const servers = [await ReportingServer.start(), await ReportingServer.start()] as const;
    const { channel } = stage.harden(
      servers.map(({ server }) => server),
      OUT_OF_BAND,
    );
    await channel.ready({ endpoints: "all" });
    await Promise.all(servers.map((server) => server.begun(1)));

    channel.updateEndpoints([servers[0].server.address]);
    await until(() => servers[1].streams === 0, "the end of the stream of the one that left");
    await channel.close();
    await until(() => servers[0].streams === 0, "the end of the last stream");

    expect(servers.map(({ streams }) => streams)).toEqual([0, 0]);
  });
});
