import * as grpc from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { callToEnd, startCall } from "../support/contract-calls.js";
import { describeAllDoors, itWhere, QUICK } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";
import { FaultProxy } from "../support/fault-proxy.js";

describeAllDoors((entrance) => {
  const { flavour, door } = entrance;
  /** Redials soon, so that a server that comes back is found within the test. */
  const eager = door.isPooled ? { ...QUICK, reconnectBackoff: { initialMs: 20, jitterRatio: 0 } } : QUICK;

  itWhere(entrance.can("retry"))("repeats a call whose metadata says that this does no harm", async () => {
    const metadata = direct("fail-first", { idempotentRequest: true });

    const end = await entrance.call("unary", { metadata });

    expect(end.answers).toEqual([["a", 1]]);
    expect(entrance.runs.map((run) => run.metadata.get("grpc-previous-rpc-attempts"))).toEqual([[], ["1"]]);
  });

  it("does not repeat a call of unknown harm that a server has failed", async () => {
    const end = await entrance.call("unary", { metadata: direct("fail-first") });

    expect(end.error).toMatchObject({
      code: grpc.status.UNAVAILABLE,
      details: "not yet",
      processed: "maybe",
    });
    expect(entrance.runs).toHaveLength(1);
  });

  it("waits for a server that is down when the metadata says so", async () => {
    const proxy = await FaultProxy.start(entrance.servers[0]!.port);
    await proxy.refuse();
    const { stub } = entrance.open({ channel: eager, addresses: [proxy.address] });
    const failed = await callToEnd(flavour, stub, "unary");

    const waiting = startCall(flavour, stub, "unary", {
      metadata: new grpc.Metadata({ waitForReady: true }),
    });
    await proxy.pass();
    const end = await waiting.end;
    await proxy.close();

    expect(failed.error).toMatchObject({ code: grpc.status.UNAVAILABLE, processed: "no" });
    expect(end.answers).toEqual([["a", 1]]);
  });
});
