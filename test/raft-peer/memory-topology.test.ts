import { describe, expect, it } from "vitest";
import { configErrorOf } from "../support/config-error.js";
import { CountingNode, memoryStage, send } from "./memory-calls.js";

describe("a partition", () => {
  it("lets calls pass only within a group, until it is healed", async () => {
    const { reach, network } = threeNodes();
    network.partition([["a:1", "b:1"], ["c:1"]]);

    expect(await reach("a:1", "b:1")).toBe("ok");
    expect(await reach("b:1", "c:1")).toBe("unreachable");
    expect(await reach("c:1", "a:1")).toBe("unreachable");

    network.heal();
    expect(await reach("c:1", "a:1")).toBe("ok");
  });

  it("leaves whoever is in no group in reach of everybody", async () => {
    const { reach, network } = threeNodes();
    network.partition([["a:1"], ["b:1"]]);

    expect(await reach("client", "a:1")).toBe("ok");
    expect(await reach("client", "b:1")).toBe("ok");
    expect(await reach("a:1", "c:1")).toBe("ok");
  });

  it("takes the place of the one before", async () => {
    const { reach, network } = threeNodes();
    network.partition([["a:1"], ["b:1"]]);
    network.partition([["a:1", "b:1"], ["c:1"]]);

    expect(await reach("a:1", "b:1")).toBe("ok");
  });

  it("with an address in two groups is refused and changes nothing", async () => {
    const { reach, network } = threeNodes();

    const error = configErrorOf(() => network.partition([["a:1"], ["b:1", "a:1"]]));

    expect(error).toMatchObject({
      reason: "CONFIG_INVALID",
      details: "partition: a:1 is in groups 0 and 1; allowed: one group per address",
    });
    expect(await reach("a:1", "b:1")).toBe("ok");
  });

  it("that begins while a call runs keeps the reply from its caller", async () => {
    const { clock, network } = memoryStage();
    let answer = () => {};
    const waiting = new Promise<void>((resolve) => {
      answer = resolve;
    });
    network.serve("b:1", { kv: new CountingNode(() => waiting.then(() => ({ err: "OK", value: "" }))) });
    const { heard } = send(network.link("a:1", "b:1"));
    await clock.advance(10);

    network.partition([["a:1"], ["b:1"]]);
    answer();
    await clock.advance(90);

    expect(heard).toMatchObject([{ kind: "timeout", processed: "maybe", ms: 100 }]);
  });
});

describe("a cut", () => {
  it("stops calls both ways, until it is mended", async () => {
    const { reach, network } = threeNodes();
    network.cut("a:1", "b:1");

    expect(await reach("a:1", "b:1")).toBe("unreachable");
    expect(await reach("b:1", "a:1")).toBe("unreachable");
    expect(await reach("a:1", "c:1")).toBe("ok");

    network.mend("b:1", "a:1");
    expect(await reach("a:1", "b:1")).toBe("ok");
    expect(await reach("b:1", "a:1")).toBe("ok");
  });

  it("one way lets requests through whose replies are lost", async () => {
    const { reach, network, nodes } = threeNodes();
    network.cut("b:1", "a:1", { oneWay: true });

    expect(await reach("b:1", "a:1")).toBe("unreachable");
    expect(await reach("a:1", "b:1")).toBe("timeout");
    expect(nodes["b:1"].keys).toHaveLength(1);

    network.mend("b:1", "a:1", { oneWay: true });
    expect(await reach("a:1", "b:1")).toBe("ok");
  });

  it("outlives the end of a partition", async () => {
    const { reach, network } = threeNodes();
    network.cut("a:1", "b:1");
    network.partition([["a:1"], ["c:1"]]);

    network.heal();

    expect(await reach("a:1", "b:1")).toBe("unreachable");
    expect(await reach("a:1", "c:1")).toBe("ok");
  });

  it("made while a request is under way loses it; it never runs", async () => {
    const { network, clock, nodes } = threeNodes();
    const { heard } = send(network.link("a:1", "b:1"));

    network.cut("a:1", "b:1", { oneWay: true });
    await clock.advance(100);

    expect(heard).toMatchObject([{ kind: "timeout", processed: "maybe" }]);
    expect(nodes["b:1"].keys).toEqual([]);
  });
});

function threeNodes() {
  const { clock, network } = memoryStage();
  const nodes = { "a:1": new CountingNode(), "b:1": new CountingNode(), "c:1": new CountingNode() };
  for (const [address, kv] of Object.entries(nodes)) network.serve(address, { kv });
  const reach = async (from: string, to: string) => {
    const { heard } = send(network.link(from, to));
    await clock.advance(100);
    return heard.map((result) => (result.ok ? "ok" : result.kind)).join();
  };
  return { clock, network, nodes, reach };
}
