import * as grpc from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { callToEnd, startCall } from "../support/contract-calls.js";
import { describeAllDoors, itWhere } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";

describeAllDoors((entrance) => {
  const { flavour, door } = entrance;

  it.each(["unary", "read"] as const)("delivers the answer of a %s call", async (method) => {
    const { stub } = entrance.open();

    const answer = await new Promise<object | undefined>((resolve, reject) => {
      stub[method](flavour.ask("é中", 0), (error, reply) =>
        error === null ? resolve(reply) : reject(error),
      );
    });

    expect(flavour.answerText(answer!)).toBe("é中");
    expect(flavour.answerCount(answer!)).toBe(1);
    expect(entrance.runs.map((run) => run.texts)).toEqual([["é中"]]);
  });

  it.each(["unary", "read"] as const)("carries the metadata given to a %s call", async (method) => {
    const { stub } = entrance.open();
    const metadata = new grpc.Metadata();
    metadata.set("trace", "t1");
    metadata.set("trace-bin", Buffer.from([0, 255]));

    await new Promise((resolve) => stub[method](flavour.ask("a", 0), metadata, resolve));

    expect(entrance.runs.map((run) => run.metadata.get("trace"))).toEqual([["t1"]]);
    expect(entrance.runs[0]?.metadata.get("trace-bin")).toEqual([Buffer.from([0, 255])]);
  });

  it("carries metadata and options together", async () => {
    const { stub } = entrance.open();
    await callToEnd(flavour, stub, "unary");
    const metadata = direct("hang");
    metadata.set("trace", "t1");

    const options = { deadline: Date.now() + 30 };
    const end = await callToEnd(flavour, stub, "unary", { metadata, options });

    expect(end.error?.code).toBe(grpc.status.DEADLINE_EXCEEDED);
    expect(entrance.runs.map((run) => run.metadata.get("trace"))).toContainEqual(["t1"]);
  });

  itWhere(door.isPromised !== true)("takes options in the place of metadata, as grpc-js does", async () => {
    const { stub } = entrance.open();
    const passed = { deadline: Date.now() - 1 } as unknown as grpc.Metadata;

    const error = await new Promise<unknown>((resolve) => stub.unary(flavour.ask("a", 0), passed, resolve));

    expect(error).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
    expect(entrance.runs).toEqual([]);
  });

  it("tells headers, trailers and status of a unary call by its events", async () => {
    const end = await entrance.call("unary", { metadata: direct("headers") });

    expect(end.headers?.get("greeting")).toEqual(["hello"]);
    expect(end.status.code).toBe(grpc.status.OK);
    expect(end.status.metadata.get("farewell")).toEqual(["bye"]);
    expect(end.told).toEqual({ ends: 1, statuses: 1 });
  });

  itWhere(entrance.can("peer"))("says which server answered", async () => {
    const { stub } = entrance.open();

    const call = startCall(flavour, stub, "unary");
    await call.end;

    const called = entrance.servers.find((server) => server.runs.length > 0);
    expect(call.raw.getPeer()).toBe(called?.address);
  });

  it("remains an instance of the stub's class", () => {
    const { stub } = entrance.open();

    expect(stub).toBeInstanceOf(flavour.Client);
    expect(stub).toBeInstanceOf(grpc.Client);
  });

  it("tells when it is connected through the stub's own waitForReady", async () => {
    const { stub } = entrance.open();

    const error = await new Promise((resolve) => stub.waitForReady(Date.now() + 2_000, resolve));

    expect(error).toBeUndefined();
    expect(stub.getChannel().getConnectivityState(false)).toBe(grpc.connectivityState.READY);
  });

  it("tells through waitForReady when nobody answers before the deadline", async () => {
    const { stub } = entrance.open({ addresses: ["127.0.0.1:9"] });

    const error = await new Promise((resolve) => stub.waitForReady(Date.now() + 30, resolve));

    expect(error).toEqual(new Error("Failed to connect before the deadline"));
  });
});
