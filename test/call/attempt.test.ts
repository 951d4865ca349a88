import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { Attempt } from "../../src/call/attempt.js";
import { BufferBudget, Outbox } from "../../src/call/retry-buffer.js";
import { FakeCall } from "../support/fake-call.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { FakeSlot } from "./fake-slot.js";

const NEVER = Number.POSITIVE_INFINITY;
const TARGET = "ipv4:10.0.0.1:1";
const PEER = "10.0.0.1:1";

/** An attempt with its surroundings: a slot, an outbox, the call of grpc-js below and an owner above. */
function attemptOn(slot = new FakeSlot(TARGET)) {
  const clock = new ManualClock();
  const host = {
    clock,
    target: TARGET,
    peer: PEER,
    canOpenStreams: true,
    holdsWrites: true,
    onEnded: () => {},
  };
  const inner = new FakeCall(host, "/test.Echo/Say", NEVER, null);
  slot.nextCall = inner;
  const heard: string[] = [];
  const outbox = new Outbox(new BufferBudget(1_000, 1_000));
  const owner = {
    outbox,
    onAttemptHeaders: () => void heard.push("headers"),
    onAttemptMessage: () => void heard.push("message"),
    onAttemptStatus: () => void heard.push(`status with ${slot.inFlight} in flight`),
  };
  const attempt = new Attempt(slot, slot.standing.gate, false, 1, 0, 0, owner);
  const start = (): void => attempt.start("/test.Echo/Say", null, new Metadata(), null, true, NEVER);
  return { slot, inner, heard, outbox, attempt, start };
}

describe("whether a stream was opened", () => {
  it.each<[string, string, boolean | null]>([
    ["the target, as while it is queued", TARGET, false],
    ["the bare address", PEER, true],
    ["unknown", "unknown", null],
  ])("is told by the peer: %s", (_what, peer, expected) => {
    const { attempt, inner, start } = attemptOn();
    start();
    inner.getPeer = () => peer;

    expect(attempt.evidence(false, false).isStreamOpened).toBe(expected);
  });

  it("is certain once there is an authenticated peer", () => {
    const { attempt, inner, start } = attemptOn();
    start();
    inner.getPeer = () => TARGET;
    inner.getAuthContext = () => ({ transportSecurityType: "ssl" }) as never;

    expect(attempt.evidence(false, false).isStreamOpened).toBe(true);
  });

  it("is certain once anything of an answer came", () => {
    const { attempt, inner, start } = attemptOn();
    start();
    inner.getPeer = () => TARGET;

    inner.headers();

    expect(attempt.evidence(false, false)).toMatchObject({
      isStreamOpened: true,
      hasHeaders: true,
      hasMessage: false,
    });
  });

  it("cannot be told over a stub's own channel", () => {
    const { attempt, start } = attemptOn(new FakeSlot(null));
    start();

    expect(attempt.evidence(false, false).isStreamOpened).toBeNull();
  });

  it("is certain before there is a call at all: none was", () => {
    expect(attemptOn().attempt.evidence(false, false).isStreamOpened).toBe(false);
  });
});

describe("an attempt", () => {
  it("closes its stream once, however often there is nothing more to send", async () => {
    const { attempt, inner, outbox, start } = attemptOn();
    let closes = 0;
    inner.halfClose = () => void closes++;
    outbox.isHalfClosed = true;

    start();
    attempt.pump();
    attempt.pump();

    expect(closes).toBe(1);
  });

  it("hears one status, and nothing after it", async () => {
    const { attempt, inner, heard, start } = attemptOn();
    start();
    await settle();
    inner.fail(status.ABORTED);
    await settle();

    attempt.onReceiveStatus({ code: status.OK, details: "", metadata: new Metadata() });
    attempt.onReceiveMetadata(new Metadata());
    attempt.onReceiveMessage(Buffer.alloc(0));

    expect(heard).toHaveLength(1);
  });

  it("gives its place on the connection back once, after its call was told", async () => {
    const { inner, slot, heard, start } = attemptOn();
    start();
    await settle();

    inner.fail(status.ABORTED);
    await settle();

    expect(heard).toEqual(["status with 1 in flight"]);
    expect(slot.inFlight).toBe(0);
  });

  it("gives its place back though its call threw", () => {
    const { attempt, slot, start } = attemptOn();
    start();
    Reflect.set(attempt, "owner", {
      onAttemptStatus: () => {
        throw new Error("a callback of the user");
      },
    });

    expect(() => attempt.onReceiveStatus({ code: 0, details: "", metadata: new Metadata() })).toThrow();

    expect(slot.inFlight).toBe(0);
  });

  it("ends its write with itself, so that a dead write is no stalled one", async () => {
    const { inner, outbox, slot, start } = attemptOn();
    outbox.add(Buffer.from("x"));
    start();
    await settle();
    expect(slot.writes).toBe(1);

    inner.fail(status.ABORTED);
    inner.flush();
    await settle();

    expect(slot.writes).toBe(0);
  });

  it("that cannot be started says so and keeps no place", () => {
    const { inner, slot, start } = attemptOn();
    inner.start = () => {
      throw new Error("bad metadata");
    };

    expect(start).toThrow("bad metadata");

    expect(slot.inFlight).toBe(0);
  });
});
