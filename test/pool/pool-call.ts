import { type InterceptingListener, Metadata, status as Status } from "@grpc/grpc-js";
import type { EndpointGate } from "../../src/pool/endpoint-gate.js";
import type { PickWaiter } from "../../src/pool/pick-queue.js";
import type { PickResult } from "../../src/pool/pool-deps.js";
import type { Slot } from "../../src/pool/slot.js";
import type { FakeCall } from "../support/fake-call.js";
import { CALL } from "./pool-bench.js";

/** What a call is to the world that it runs in. */
export interface CallWorld {
  pick(call: ModelCall): PickResult;
  queue(call: ModelCall): void;
  leaveQueue(call: ModelCall): void;
  now(): number;
  /** The peer sent bytes. */
  hear(slot: Slot): void;
  onStarted(slot: Slot): void;
  onTimeout(slot: Slot, bytesAtStart: number): void;
  onEnded(slot: Slot): void;
}

type Fate = "answered" | "refused politely" | "failed" | "cancelled" | "timed out" | "lost";

/** A call of one attempt: it waits, runs, and tells connection and breaker of its end as `src/call` does. */
export class ModelCall implements PickWaiter {
  state: "waiting" | "running" | "failed" | "over" = "waiting";
  slot: Slot | null = null;
  #inner: FakeCall | null = null;
  #gate: EndpointGate | null = null;
  #isProbe = false;
  #startedAt = 0;
  #bytesAtStart = 0;
  #fate: Fate = "lost";

  constructor(
    private readonly world: CallWorld,
    readonly isPatient: boolean,
    /** The endpoint it has failed on. */
    readonly tried: string | null = null,
  ) {
    if (!this.onPickable()) world.queue(this);
  }

  onPickable(): boolean {
    const result = this.world.pick(this);
    if (result === "queue") return false;
    if ("kind" in result) this.state = "failed";
    else this.#run(result);
    return true;
  }

  answer(): void {
    this.#end("answered", (inner) => inner.ok());
  }

  /** An application's error. */
  refusePolitely(): void {
    this.#end("refused politely", (inner) => inner.fail(Status.NOT_FOUND));
  }

  fail(): void {
    this.#end("failed", (inner) => inner.fail(Status.UNAVAILABLE));
  }

  cancel(): void {
    if (this.state === "waiting") {
      this.world.leaveQueue(this);
      this.state = "over";
    }
    this.#fate = "cancelled";
    this.#inner?.cancelWithStatus(Status.CANCELLED, "no longer needed");
  }

  timeOut(): void {
    if (this.state !== "running") return;
    this.#fate = "timed out";
    this.#inner?.cancelWithStatus(Status.DEADLINE_EXCEEDED, "out of time");
  }

  #end(fate: Fate, end: (inner: FakeCall) => void): void {
    if (this.#inner === null || this.slot === null || this.state !== "running") return;
    this.#fate = fate;
    this.world.hear(this.slot);
    end(this.#inner);
  }

  #run(slot: Slot): void {
    this.state = "running";
    this.slot = slot;
    this.#gate = slot.standing.gateFor(CALL.path);
    this.#isProbe = this.#gate.acquire();
    this.#startedAt = this.world.now();
    this.#bytesAtStart = slot.bytesRead;
    this.#inner = slot.createCall(CALL.path, Number.POSITIVE_INFINITY, undefined) as FakeCall;
    slot.callStarted();
    this.world.onStarted(slot);
    const onReceiveStatus = (): void => this.#settle(slot, this.#gate as EndpointGate);
    const listener = { onReceiveMetadata() {}, onReceiveMessage() {}, onReceiveStatus };
    this.#inner.start(new Metadata(), listener as InterceptingListener);
    this.#inner.startRead();
  }

  #settle(slot: Slot, gate: EndpointGate): void {
    this.state = "over";
    this.#tell(slot, gate);
    this.world.onEnded(slot);
    slot.callEnded();
  }

  #tell(slot: Slot, gate: EndpointGate): void {
    const now = this.world.now();
    const ms = now - this.#startedAt;
    if (this.#fate === "answered" || this.#fate === "refused politely") {
      gate.succeed(this.#isProbe, ms);
      slot.standing.succeeded(this.#startedAt, ms, now);
    } else if (this.#fate === "failed") {
      gate.fail(this.#isProbe);
      slot.standing.failed(ms, now);
    } else if (this.#fate === "timed out") this.#tellTimeout(slot, gate, ms);
    else {
      if (this.#fate === "lost" && slot.isLost && this.#inner?.isRefused === false)
        slot.noteLoss().isCounted = true;
      gate.abandon(this.#isProbe);
    }
  }

  #tellTimeout(slot: Slot, gate: EndpointGate, ms: number): void {
    this.world.onTimeout(slot, this.#bytesAtStart);
    const incident = slot.noteTimeout(this.#startedAt, this.#bytesAtStart);
    if (incident.isCounted && !this.#isProbe) return gate.abandon(false);
    gate.fail(this.#isProbe);
    slot.standing.failed(ms, this.world.now());
    incident.isCounted = true;
  }
}
