import { status } from "@grpc/grpc-js";
import { type BreakerChange, type BreakerInterceptorOptions, breakerInterceptor } from "holdfast";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { FakeTransport, type StartArgs, unaryThrough } from "./fake-below.js";

/** A breaker interceptor over a transport that the test answers. */
export class BreakerStage {
  readonly clock = new ManualClock();
  readonly transport = new FakeTransport();
  readonly interceptor;
  readonly changes: BreakerChange[] = [];

  constructor(options: BreakerInterceptorOptions = {}) {
    this.interceptor = breakerInterceptor(options, { clock: this.clock, random: fixedRandom(0.5) });
    this.interceptor.onChange((change) => this.changes.push(change));
  }

  start(args: StartArgs = {}) {
    return { ...unaryThrough(this.interceptor, this.transport, args), below: this.transport.calls.at(-1) };
  }

  /** Calls that end so, one after the other. */
  fail(times: number, code = status.UNAVAILABLE, details = "down for repairs", args: StartArgs = {}): void {
    for (let call = 0; call < times; call++) this.start(args).below?.end(code, details);
  }
}
