import { describe, expect, it } from "vitest";
import { StaticResolver } from "../../src/discovery/static-resolver.js";
import { ManualClock } from "../support/manual-clock.js";
import { RecordingListener } from "./recording-listener.js";
import { resolverContract } from "./resolver-contract.js";

const ENDPOINTS = [{ address: "a:1" }, { address: "unix:/s" }];

resolverContract("static", () => ({
  resolver: new StaticResolver("static:///a:1,unix:/s", ENDPOINTS),
  clock: new ManualClock(),
  questions: () => 0,
}));

describe("StaticResolver", () => {
  it("reports the whole set in the order written", async () => {
    const listener = new RecordingListener();

    new StaticResolver("static:///a:1,unix:/s", ENDPOINTS).start(listener);
    await Promise.resolve();

    expect(listener.sets).toEqual([ENDPOINTS]);
  });
});
