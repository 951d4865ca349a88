import { type CallCredentials, status as Status } from "@grpc/grpc-js";
import type { Endpoint, Random } from "../../src/core/index.js";
import { EndpointHealth, type EndpointHealthOwner } from "../../src/pool/health-endpoint.js";
import { type HealthOptions, healthOptionsSchema } from "../../src/pool/health-options.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";
import type { ServerWatchDeps, WatchedConnection } from "../../src/pool/server-watch.js";
import { FakeCall, type FakeCallHost } from "../support/fake-call.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

export const ENDPOINT: Endpoint = { address: "10.0.0.1:1" };
export const WATCH = "/grpc.health.v1.Health/Watch";
export const CHECK = "/grpc.health.v1.Health/Check";
/** Serialized HealthCheckResponses. */
export const SERVING = "\x08\x01";
export const NOT_SERVING = "\x08\x02";

/** A connection whose calls the test answers. */
export class FakeConnection implements WatchedConnection, FakeCallHost {
  readonly calls: FakeCall[] = [];
  readonly target = "ipv4:10.0.0.1:1";
  readonly peer = ENDPOINT.address;
  readonly holdsWrites = false;
  canOpenStreams = true;
  isLost = false;
  /** What opening a call fails with. */
  refusal: Error | null = null;

  constructor(readonly clock: ManualClock) {}

  createCall(method: string, deadline: number, host: string | null | undefined): FakeCall {
    if (this.refusal !== null) throw this.refusal;
    const call = new FakeCall(this, method, deadline, host);
    this.calls.push(call);
    return call;
  }

  onEnded(): void {}

  /** The newest call. */
  get current(): FakeCall {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error("no call was made on this connection");
    return call;
  }

  /** Methods of the calls, in order. */
  get methods(): string[] {
    return this.calls.map(({ method }) => method.split("/").at(-1) ?? "");
  }

  /** Calls that have not ended. */
  get running(): number {
    return this.calls.filter((call) => !call.isEnded).length;
  }

  /** Its socket is gone, and its calls with it. */
  lose(): void {
    this.isLost = true;
    for (const call of this.calls) call.endLocally(Status.UNAVAILABLE, "Connection dropped");
  }
}

export function depsOf(
  clock: ManualClock,
  random: Random = fixedRandom(0.5),
  credentials: CallCredentials | null = null,
): ServerWatchDeps {
  const { reconnectBackoff } = poolOptionsSchema.parse({});
  return { clock, random, reconnectBackoff, credentials };
}

/** The health of one endpoint, whose connections and time are the test's. */
export class HealthBench implements EndpointHealthOwner {
  readonly clock = new ManualClock();
  readonly health: EndpointHealth;
  readonly connection = new FakeConnection(this.clock);
  /** Each change, as `status` or `status: detail`. */
  readonly changes: string[] = [];
  unimplemented = 0;
  onChanged: (() => void) | null = null;

  constructor(
    options: HealthOptions = { serviceName: "kv" },
    random?: Random,
    credentials?: CallCredentials,
  ) {
    const resolved = healthOptionsSchema.parse(options);
    this.health = new EndpointHealth(() => ENDPOINT, resolved, this, depsOf(this.clock, random, credentials));
  }

  /** The first connection is up. */
  async up(): Promise<this> {
    this.health.add(this.connection);
    await settle();
    return this;
  }

  /** A further connection, up since now. */
  async further(): Promise<FakeConnection> {
    const connection = new FakeConnection(this.clock);
    this.health.add(connection);
    await settle();
    return connection;
  }

  /** Time goes on, and the endpoint is looked at every second. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 1_000) {
      await this.clock.advance(Math.min(left, 1_000));
      this.health.tick(this.clock.now());
      await settle();
    }
  }

  onChange({ status, detail }: EndpointHealth): void {
    this.changes.push(detail === null ? status : `${status}: ${detail}`);
    this.onChanged?.();
  }

  onUnimplemented(): void {
    this.unimplemented++;
  }
}
