import * as grpc from "@grpc/grpc-js";
import { retryInterceptor } from "holdfast";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../support/manual-clock.js";
import { definitionOf, FakeScene, IDEMPOTENT, OK, serverMetadata, UNAVAILABLE } from "./fake-scene.js";

describe("the log of a retry interceptor", () => {
  it("has a line for each retry and for the success, without a server's text (E47)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    scene.unary();
    await scene.fail(UNAVAILABLE, "secret");
    await scene.clock.advance(100);
    scene.below.last.end(OK);

    const method = "/test.Service/Method";
    expect(scene.lines).toEqual([
      {
        level: "info",
        message: "attempt 2 after 100 ms",
        line: { method, attempt: 2, delayMs: 100, code: UNAVAILABLE, reason: "REMOTE" },
      },
      { level: "info", message: "succeeded on attempt 2", line: { method, attempt: 2 } },
    ]);
  });

  it("says when the retries are exhausted, and nothing of calls that went well at once (E47)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" }, maxAttempts: 2 });
    scene.unary();
    scene.below.last.end(OK);
    expect(scene.lines).toEqual([]);
    scene.unary();
    await scene.fail();
    await scene.fail();

    expect(scene.messages).toEqual(["attempt 2 after 0 ms", "retries exhausted"]);
    expect(scene.lines.at(-1)).toMatchObject({ level: "warn", line: { attempts: 2, code: UNAVAILABLE } });
  });

  it("calls a last failure of our own RETRIES_EXHAUSTED, with all attempts (E47)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" }, maxAttempts: 2 });
    const { told } = scene.unary();
    for (let attempt = 0; attempt < 2; attempt++) {
      scene.below.last.end(UNAVAILABLE, "Connection dropped");
      await scene.clock.advance(0);
    }

    expect(told.statuses).toMatchObject([{ reason: "RETRIES_EXHAUSTED", processed: "maybe" }]);
    expect(told.statuses[0]?.["attempts"]).toHaveLength(2);
  });

  it("may throw without changing a call (E47)", async () => {
    const clock = new ManualClock();
    const broken = (): never => {
      throw new Error("no disk");
    };
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    const interceptor = retryInterceptor(
      { idempotent: true, backoff: { kind: "immediate" } },
      { clock, log: { info: broken, warn: broken } },
    );
    const call = interceptor({ method_definition: definitionOf("/a.B/C") }, scene.below.nextCall);
    const codes: number[] = [];
    call.start(new grpc.Metadata(), { onReceiveStatus: ({ code }) => void codes.push(code) });
    scene.below.last.end(UNAVAILABLE, "down", { metadata: serverMetadata() });
    await clock.advance(0);
    scene.below.last.end(OK);

    expect(codes).toEqual([OK]);
  });
});
