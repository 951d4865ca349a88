import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { type AttemptRecord, ResilienceError } from "../../../src/core/index.js";
import { failed } from "../../../src/discovery/etcd/etcd-errors.js";

const NOT_CONNECTED =
  "its endpoint is not connected; last error: 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1";

function attempt(over: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    attempt: 1,
    endpoint: null,
    startedMs: 0,
    ms: 0,
    code: status.UNAVAILABLE,
    reason: "DIAL_FAILED",
    origin: "local",
    processed: "no",
    details: `static:///127.0.0.1:1,127.0.0.1:2: ${NOT_CONNECTED}`,
    next: "",
    ...over,
  };
}

/** As a call of our own channel fails: a sentence about the call, with the last attempt's within. */
function failure(attempts: readonly AttemptRecord[], over: { code?: status; origin?: "remote" } = {}) {
  return new ResilienceError({
    reason: "RETRIES_EXHAUSTED",
    code: status.UNAVAILABLE,
    details: "the whole story",
    attempts,
    ...over,
  });
}

describe("a failed call to etcd", () => {
  it("is told by how its last attempt failed, without the target of a channel that nobody has heard of", () => {
    const cause = failure([attempt({ details: "the first" }), attempt()]);

    const error = failed("reading the keys", cause);

    expect(error.message).toBe(`reading the keys failed: ${NOT_CONNECTED}`);
    expect(error).toMatchObject({ code: status.UNAVAILABLE, cause });
  });

  it("whose time was over between two attempts is told by the first of them, and by that", () => {
    const cause = failure([attempt()], { code: status.DEADLINE_EXCEEDED });

    expect(failed("reading the keys", cause).message).toBe(
      `reading the keys failed: ${NOT_CONNECTED}; then the time was over`,
    );
  });

  it.each([
    ["without any attempt", failure([])],
    ["that ended otherwise than its last attempt", failure([attempt()], { code: status.CANCELLED })],
    ["that etcd itself refused", failure([attempt()], { origin: "remote" })],
  ])("%s is told as it tells itself", (_what, cause) => {
    expect(failed("reading the keys", cause).message).toBe(
      "reading the keys failed: RETRIES_EXHAUSTED: the whole story",
    );
  });

  it("of any other kind is told as it tells itself, and has no code", () => {
    const error = failed("reading the password file", new Error("ENOENT"));

    expect(error.message).toBe("reading the password file failed: ENOENT");
    expect(error).toMatchObject({ code: null });
  });
});
