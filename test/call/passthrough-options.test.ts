import { describe, expect, it } from "vitest";
import { passthroughProblems } from "../../src/call/passthrough-options.js";
import { parseTargets, type TargetList } from "../../src/discovery/index.js";

const PASSTHROUGH = parseTargets("passthrough:///xds:///users") as TargetList;
const POOLED = parseTargets("dns:///users") as TargetList;

describe("options beside passthrough:", () => {
  it("are refused where they would do nothing", () => {
    const options = { loadBalancing: "random", poolSize: 2, connecting: "eager", discovery: {}, health: {} };

    const problems = passthroughProblems(options, PASSTHROUGH);

    expect(problems).toHaveLength(5);
    expect(problems[0]).toBe(
      "loadBalancing needs a pool, and passthrough:///xds:///users has none, as grpc-js chooses its servers",
    );
  });

  it("are taken where they do something", () => {
    const options = {
      insecure: true,
      timeoutMs: 5,
      retry: false,
      breaker: {},
      authority: "a",
      compression: "gzip",
      drainMs: 5,
      idleTimeoutMs: 5_000,
      keepalive: null,
      maxSendMessageBytes: 5,
      maxReceiveMessageBytes: 5,
      flowControlWindowBytes: 70_000,
      channelOptions: {},
      loadBalancing: undefined,
    };

    expect(passthroughProblems(options, PASSTHROUGH)).toEqual([]);
  });

  it.each([
    [{ loadBalancing: "random" }, POOLED],
    [{ loadBalancing: "random" }, null],
    [null, PASSTHROUGH],
    ["options", PASSTHROUGH],
  ])("are nobody's business here: %j beside %j", (options, target) => {
    expect(passthroughProblems(options, target)).toEqual([]);
  });
});
