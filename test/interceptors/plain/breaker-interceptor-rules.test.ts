import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { BreakerStage } from "./breaker-stage.js";
import type { StartArgs } from "./fake-below.js";

describe("the breaker interceptor, beyond failures in a row", () => {
  it("opens on the share of failures among the last calls where that is asked for", () => {
    const stage = new BreakerStage({ count: { size: 4 } });
    for (const code of [status.UNAVAILABLE, status.OK, status.OK]) stage.fail(1, code, "");
    expect(stage.interceptor.state()).toBe("closed");

    stage.fail(1);

    expect(stage.interceptor.state()).toBe("open");
  });

  const slowCalls = { slowerThanMs: 100, size: 1 };
  const takes = async (stage: BreakerStage, ms: number, args: StartArgs, headersAfterMs?: number) => {
    const { below } = stage.start(args);
    if (headersAfterMs !== undefined) {
      await stage.clock.advance(headersAfterMs);
      below?.headers();
    }
    await stage.clock.advance(ms - (headersAfterMs ?? 0));
    below?.end(status.OK);
  };

  it.each([
    ["a quick call", 100, {}, undefined, "closed"],
    ["a slow call", 101, {}, undefined, "open"],
    ["a slow call whose headers were quick", 101, {}, 10, "open"],
    ["a long stream whose answer began quickly", 60_000, { responseStream: true }, 100, "closed"],
    ["a stream whose answer began late", 60_000, { responseStream: true }, 101, "open"],
    ["a stream that ended without an answer", 101, { responseStream: true }, undefined, "open"],
    ["a long upload, which takes its caller's time", 60_000, { requestStream: true }, undefined, "closed"],
  ] as const)(
    "minds slow answers where that is asked for: after %s of %i ms",
    async (_what, ms, args, headers, state) => {
      const stage = new BreakerStage({ slowCalls });

      await takes(stage, ms, args, headers);

      expect(stage.interceptor.state()).toBe(state);
    },
  );

  it("takes a probe whose answer begins too late for a failed one", async () => {
    const stage = new BreakerStage({ slowCalls });
    await takes(stage, 101, {});
    await stage.clock.advance(5_000);

    await takes(stage, 200, {}, 101);

    expect(stage.changes.at(-1)).toMatchObject({ from: "half-open", to: "open", retryInMs: 10_000 });
  });
});
