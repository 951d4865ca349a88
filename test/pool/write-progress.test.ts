import { describe, expect, it } from "vitest";
import { WriteProgress } from "../../src/pool/write-progress.js";
import { ManualClock } from "../support/manual-clock.js";

const STALL_MS = 5_000;

function watched() {
  const clock = new ManualClock();
  const peer = { bytes: 0 };
  return { clock, peer, writes: new WriteProgress(clock, () => peer.bytes) };
}

describe("a write", () => {
  it("that waits for the whole time limit while the peer is silent is stalled, and not a millisecond before", async () => {
    const { clock, writes } = watched();
    writes.started();
    writes.isStalled(STALL_MS);

    await clock.advance(STALL_MS - 1);
    expect(writes.isStalled(STALL_MS)).toBe(false);

    await clock.advance(1);
    expect(writes.isStalled(STALL_MS)).toBe(true);
  });

  it("that was flushed is not stalled, however long nothing follows", async () => {
    const { clock, writes } = watched();
    writes.started();
    writes.ended();

    for (let second = 0; second < 20; second++) {
      expect(writes.isStalled(STALL_MS)).toBe(false);
      await clock.advance(1_000);
    }
  });

  it("is not stalled while others on the connection are flushed", async () => {
    const { clock, writes } = watched();
    writes.started();
    writes.isStalled(STALL_MS);
    await clock.advance(4_000);
    writes.started();
    writes.ended();
    writes.isStalled(STALL_MS);

    await clock.advance(4_000);

    expect(writes.isStalled(STALL_MS)).toBe(false);
  });

  it("begun on an idle connection is not blamed for the idle time", async () => {
    const { clock, writes } = watched();
    writes.started();
    writes.ended();
    await clock.advance(60_000);

    writes.started();

    expect(writes.isStalled(STALL_MS)).toBe(false);
  });

  it("that a slow reader holds up is not stalled while the peer sends", async () => {
    const { clock, peer, writes } = watched();
    writes.started();

    for (let second = 0; second < 20; second++) {
      peer.bytes += 9;
      await clock.advance(1_000);
      expect(writes.isStalled(STALL_MS)).toBe(false);
    }
  });

  it("is stalled when the peer sent once after it began and then fell silent", async () => {
    const { clock, peer, writes } = watched();
    writes.started();
    peer.bytes += 9;
    await clock.advance(1_000);
    writes.isStalled(STALL_MS);

    await clock.advance(60_000);

    expect(writes.isStalled(STALL_MS)).toBe(true);
  });
});
