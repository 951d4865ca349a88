import { OrcaLoadReportRequest } from "../gen/xds/service/orca/v3/orca.js";
import { HealthCarrier } from "./health-carrier.js";
import {
  ServerWatch,
  type ServerWatchDeps,
  type ServerWatchOwner,
  type WatchedConnection,
} from "./server-watch.js";

const METHOD = "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics";
const NANOS_PER_S = 1_000_000_000n;

/** Hears of an endpoint's load. */
export interface LoadReportOwner {
  /** @param bytes a serialized `xds.data.orca.v3.OrcaLoadReport` */
  onReport(bytes: Uint8Array): void;
  /** The server sends no such reports; told once. */
  onUnimplemented(): void;
}

/**
 * The load reports of one endpoint, out of band (gRFC A51, R124): one stream for all its connections, begun with the
 * first of them, ended with the last.
 */
export class LoadReportStream implements ServerWatchOwner {
  #watch: ServerWatch | null = null;
  #hasToldUnimplemented = false;
  readonly #request: { readonly method: string; readonly message: Buffer };
  readonly #carrier = new HealthCarrier((connection) => this.#onCarrier(connection));

  /** @param periodMs time between two reports; the server may take a longer one */
  constructor(
    periodMs: number,
    private readonly owner: LoadReportOwner,
    private readonly deps: ServerWatchDeps,
  ) {
    this.#request = { method: METHOD, message: requestOf(periodMs) };
  }

  /** A connection is up. */
  add(connection: WatchedConnection): void {
    this.#carrier.add(connection);
  }

  /** A connection takes no more calls: it drains, said goodbye, or is gone. */
  remove(connection: WatchedConnection): void {
    this.#carrier.remove(connection);
  }

  /** Ends it, for good. */
  close(): void {
    this.#carrier.close();
  }

  // The stream's news

  onMessage(bytes: Buffer): void {
    this.owner.onReport(bytes);
  }

  /** The last report stays valid until it expires. */
  onEnd(): void {}

  onRestart(): void {}

  onUnimplemented(): void {
    if (this.#hasToldUnimplemented) return;
    this.#hasToldUnimplemented = true;
    this.owner.onUnimplemented();
  }

  #onCarrier(connection: WatchedConnection | null): void {
    this.#watch?.stop();
    this.#watch = connection === null ? null : new ServerWatch(connection, this.#request, this, this.deps);
    this.#watch?.start();
  }
}

function requestOf(periodMs: number): Buffer {
  const nanos = BigInt(Math.round(periodMs * 1_000_000));
  const reportInterval = { seconds: nanos / NANOS_PER_S, nanos: Number(nanos % NANOS_PER_S) };
  return Buffer.from(OrcaLoadReportRequest.encode({ reportInterval, requestCostNames: [] }).finish());
}
