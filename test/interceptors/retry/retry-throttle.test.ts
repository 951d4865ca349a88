import { retryThrottle } from "holdfast";
import { describe, expect, it } from "vitest";
import { settle } from "../../support/manual-clock.js";
import { FakeScene, IDEMPOTENT, OK, UNAVAILABLE } from "./fake-scene.js";

describe("a retry interceptor and the server's word", () => {
  it("waits exactly as long as the pushback asked, and starts the backoff anew after it (R25, R26)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, maxAttempts: 4 });
    scene.unary();
    await scene.fail();
    await scene.clock.advance(100);
    await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "250" });
    await scene.clock.advance(249);
    expect(scene.attempts).toBe(2);
    await scene.clock.advance(1);
    expect(scene.attempts).toBe(3);
    await scene.fail();
    await scene.clock.advance(100);

    expect(scene.attempts).toBe(4);
  });

  it.each(["-1", "soon", "", "12abc", "1.5", "2147483648"])(
    "returns the failure when the pushback is %j (R23, R24)",
    async (pushback) => {
      const scene = FakeScene.retry(IDEMPOTENT);
      const { told } = scene.unary();
      await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": pushback });
      await scene.clock.advance(60_000);

      expect(scene.attempts).toBe(1);
      expect(told.statuses).toHaveLength(1);
    },
  );

  it("returns failures instead of retries once half of the tokens are gone (R28, R29, R30)", async () => {
    const throttle = retryThrottle({ maxTokens: 4, tokenRatio: 1 });
    const scene = FakeScene.retry({ idempotent: true, maxAttempts: 5 }, { throttle });
    const { told } = scene.unary();
    await scene.fail();
    await scene.clock.advance(1_000);
    await scene.fail();
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(2);
    expect(throttle.tokens).toBe(2);
    expect(told.statuses).toMatchObject([{ code: UNAVAILABLE }]);
    expect(scene.messages.at(-1)).toBe("retries exhausted");
    // One success gives a token back, and the next call may retry once more.
    scene.unary();
    scene.below.last.end(OK);
    expect(throttle.tokens).toBe(3);
  });

  it("shares one bucket among all methods of an interceptor (R27)", async () => {
    const shared = FakeScene.retry({ idempotent: true, throttle: { maxTokens: 2 } });
    shared.unary({ method: "/test.Service/A" });
    await shared.fail();
    shared.unary({ method: "/test.Service/B" });
    await shared.fail();
    await shared.clock.advance(60_000);

    expect(shared.attempts).toBe(2);
  });

  it("counts one lost connection once, however many calls were on it (R178)", async () => {
    const throttle = retryThrottle({ maxTokens: 10 });
    const scene = FakeScene.retry({ idempotent: true }, { throttle });
    for (let call = 0; call < 20; call++) scene.unary();
    for (const call of [...scene.below.calls]) call.end(UNAVAILABLE, "Connection dropped");
    await settle();
    expect(throttle.tokens).toBe(9);
    await scene.clock.advance(100);
    expect(scene.attempts).toBe(40);
    scene.below.last.end(UNAVAILABLE, "Connection dropped");

    expect(throttle.tokens).toBe(8);
  });
});
