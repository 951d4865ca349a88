import * as grpc from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { definitionOf, FakeScene, IDEMPOTENT, serviceOf } from "./fake-scene.js";

describe("settings of a call through a retry interceptor", () => {
  it("take the call's own word on idempotency before the method's (R162)", async () => {
    const scene = FakeScene.retry({ idempotent: true, throttle: false, backoff: { kind: "immediate" } });
    scene.unary({ options: callOptions({ idempotent: false }) });
    await scene.fail();
    expect(scene.attempts).toBe(1);

    const other = FakeScene.retry({ throttle: false, backoff: { kind: "immediate" } });
    other.unary({ options: callOptions({ idempotent: true }) });
    await other.fail();
    other.unary({ metadata: new grpc.Metadata({ idempotentRequest: true }) });
    await other.fail();
    expect(other.attempts).toBe(4);
  });

  it.each([
    ["where nothing else says", {}, 2],
    ["after the entry of the method", { methods: { "a.B/C": { idempotent: false } } }, 1],
    ["after the options", { idempotent: false }, 1],
  ])("find idempotency in the service definition, %s (R162)", async (_name, options, attempts) => {
    const service = serviceOf({ path: "/a.B/C", options: { idempotencyLevel: "IDEMPOTENT" } });
    const scene = FakeScene.retry({ service, throttle: false, backoff: { kind: "immediate" }, ...options });
    scene
      .interceptor({ method_definition: definitionOf("/a.B/C") }, scene.below.nextCall)
      .start(new grpc.Metadata());
    await scene.fail();

    expect(scene.attempts).toBe(attempts);
  });

  it("change the retry policy of the call, within maxAttemptsLimit (R2)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    scene.unary({ options: callOptions({ retry: false }) });
    await scene.fail();
    expect(scene.attempts).toBe(1);

    const retry = {
      maxAttempts: 20,
      retryableCodes: ["ABORTED"],
      backoff: { kind: "fixed" as const, initialMs: 7 },
    };
    scene.unary({ options: callOptions({ retry }) });
    for (let attempt = 0; attempt < 8; attempt++) {
      await scene.fail(grpc.status.ABORTED);
      await scene.clock.advance(8.4);
    }
    expect(scene.attempts).toBe(1 + 5);
  });

  it("are those of the method where the options name it, each key by itself (R8)", async () => {
    const scene = FakeScene.retry({
      throttle: false,
      backoff: { kind: "immediate" },
      methods: {
        "test.Service": { idempotent: true, retry: { maxAttempts: 2 } },
        "test.Service/Once": { retry: false },
        "test.Service/Write": { idempotent: false },
      },
    });
    const made: Record<string, number> = {};
    for (const method of ["Read", "Once", "Write"]) {
      const before = scene.attempts;
      scene.unary({ method: `/test.Service/${method}` });
      for (let attempt = 0; attempt < 4; attempt++) await scene.fail();
      made[method] = scene.attempts - before;
    }

    expect(made).toEqual({ Read: 2, Once: 1, Write: 1 });
  });
});
