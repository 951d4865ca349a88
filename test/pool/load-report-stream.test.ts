import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { OrcaLoadReport } from "../../src/gen/xds/data/orca/v3/orca_load_report.js";
import {
  type OpenRcaServiceServer,
  OpenRcaServiceService,
  OrcaLoadReportRequest,
} from "../../src/gen/xds/service/orca/v3/orca.js";
import { type LoadReportOwner, LoadReportStream } from "../../src/pool/load-report-stream.js";
import { leakBaseline } from "../support/leak-check.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { Tally } from "../support/tally.js";
import { depsOf, FakeConnection } from "./health-bench.js";

class LoadBench implements LoadReportOwner {
  readonly clock = new ManualClock();
  readonly connection = new FakeConnection(this.clock);
  readonly reports: string[] = [];
  unimplemented = 0;
  readonly stream: LoadReportStream;

  constructor(periodMs = 10_000) {
    this.stream = new LoadReportStream(periodMs, this, depsOf(this.clock));
  }

  async up(connection = this.connection): Promise<this> {
    this.stream.add(connection);
    await settle();
    return this;
  }

  onReport(bytes: Uint8Array): void {
    this.reports.push(String(bytes));
  }

  onUnimplemented(): void {
    this.unimplemented++;
  }
}

describe("out-of-band load reports", () => {
  it.each([
    [10_000, { seconds: 10n, nanos: 0 }],
    [1_500.25, { seconds: 1n, nanos: 500_250_000 }],
    [999.999_999_9, { seconds: 1n, nanos: 0 }],
  ])("are asked for with their period: %d ms (R124)", async (periodMs, reportInterval) => {
    const { connection } = await new LoadBench(periodMs).up();

    const { method, sent, deadline } = connection.current;
    expect(method).toBe("/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics");
    expect(deadline).toBe(Number.POSITIVE_INFINITY);
    expect(OrcaLoadReportRequest.decode(sent[0] as Buffer)).toEqual({ reportInterval, requestCostNames: [] });
  });

  it("come over one stream for all connections of an endpoint, and move on with the oldest (R124)", async () => {
    const bench = await new LoadBench().up();
    const second = new FakeConnection(bench.clock);
    await bench.up(second);
    expect(second.calls).toEqual([]);
    bench.connection.current.message("a");

    bench.stream.remove(bench.connection);
    await settle();
    second.current.message("b");

    expect(bench.connection.running).toBe(0);
    expect(bench.reports).toEqual(["a", "b"]);
  });

  it("are asked for again with a backoff after every end but UNIMPLEMENTED (R124)", async () => {
    const bench = await new LoadBench().up();

    bench.connection.current.fail(grpc.status.UNAVAILABLE);
    await bench.clock.advance(999);
    expect(bench.connection.calls).toHaveLength(1);
    await bench.clock.advance(1);

    expect(bench.connection.calls).toHaveLength(2);
  });

  it("are not asked for again on a connection that has none, but on the next; it is told once (R124)", async () => {
    const bench = await new LoadBench().up();
    bench.connection.current.fail(grpc.status.UNIMPLEMENTED);
    await bench.clock.advance(600_000);
    expect(bench.connection.calls).toHaveLength(1);
    const second = new FakeConnection(bench.clock);

    bench.stream.remove(bench.connection);
    await bench.up(second);
    second.current.fail(grpc.status.UNIMPLEMENTED);
    await settle();

    expect(second.calls).toHaveLength(1);
    expect(bench.unimplemented).toBe(1);
  });

  it("end with the channel", async () => {
    const bench = await new LoadBench().up();

    bench.stream.close();
    await bench.up(new FakeConnection(bench.clock));
    bench.connection.current.message("late");
    await settle();

    expect(bench.connection.running).toBe(0);
    expect(bench.reports).toEqual([]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("arrive from a real server, and leave nothing behind (R124)", async () => {
    const leaks = await leakBaseline();
    const server = new grpc.Server();
    const reported = new Tally("reports");
    const gone = new Tally("ends of the stream");
    const handlers: OpenRcaServiceServer = {
      streamCoreMetrics: (call) => {
        call.on("cancelled", () => void gone.add());
        expect(call.request.reportInterval).toEqual({ seconds: 30n, nanos: 0 });
        call.write(OrcaLoadReport.fromPartial({ applicationUtilization: 0.5, rpsFractional: 100 }));
      },
    };
    server.addService(OpenRcaServiceService, handlers);
    const port = await new Promise<number>((resolve, reject) => {
      const insecure = grpc.ServerCredentials.createInsecure();
      server.bindAsync("127.0.0.1:0", insecure, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    const channel = new grpc.Channel(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), {});
    const reports: OrcaLoadReport[] = [];
    const onReport = (bytes: Uint8Array): void => {
      reports.push(OrcaLoadReport.decode(bytes));
      reported.add();
    };
    const stream = new LoadReportStream(
      30_000,
      { onReport, onUnimplemented: () => {} },
      depsOf(new ManualClock()),
    );

    stream.add({
      isLost: false,
      createCall: (method, at, host) => channel.createCall(method, at, host, null, null),
    });
    await reported.reached(1);
    stream.close();
    await gone.reached(1);

    expect(reports).toMatchObject([{ applicationUtilization: 0.5, rpsFractional: 100 }]);
    channel.close();
    server.forceShutdown();
    await leaks.expectClean();
  });
});
