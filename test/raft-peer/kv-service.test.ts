import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import * as wire from "../../src/gen/kvraftpb/kvraft.js";
import type { KvCommand, KvHandler, NodeStatus } from "../../src/raft-peer/kv-messages.js";
import { addKvService, kvMethods } from "../../src/raft-peer/kv-service.js";
import { Stage } from "../support/stage.js";
import { serve } from "./served-server.js";

const stage = new Stage();
const STATUS: NodeStatus = {
  id: 1,
  state: "Leader",
  term: 4,
  lastApplied: 9,
  commitIndex: 10,
  storageBytes: 5_000_000_000,
};

/** Keeps the commands it is told. */
class Recorder implements KvHandler {
  readonly heard: KvCommand[] = [];

  async command(request: KvCommand) {
    this.heard.push(request);
    return { err: "ErrNoKey", value: "" };
  }

  status() {
    return STATUS;
  }
}

async function clientOf(handler: KvHandler) {
  const server = stage.use(await serve((grpcServer) => addKvService(grpcServer, handler)));
  return stage.use(new wire.KVServiceClient(server.address, credentials.createInsecure()));
}

function command(client: wire.KVServiceClient, request: Partial<wire.CommandRequest>) {
  return new Promise<wire.CommandResponse | ServiceError>((resolve) =>
    client.command(wire.CommandRequest.create(request), (error, reply) => resolve(error ?? reply)),
  );
}

function getStatus(client: wire.KVServiceClient) {
  return new Promise<wire.GetStatusResponse | ServiceError>((resolve) =>
    client.getStatus({}, (error, reply) => resolve(error ?? reply)),
  );
}

describe("a key-value node on a gRPC server", () => {
  it("hears the command with its ids of 62 bits whole, and its error text comes back inside an OK", async () => {
    const handler = new Recorder();
    const client = await clientOf(handler);
    const clientId = 2n ** 62n - 1n;

    const reply = await command(client, {
      key: "k",
      value: "v",
      op: wire.Op.APPEND,
      clientId,
      commandId: 3n,
    });

    expect(handler.heard).toEqual([{ key: "k", value: "v", op: "append", clientId, commandId: 3n }]);
    expect(reply).toEqual({ err: "ErrNoKey", value: "" });
  });

  it("says how it is", async () => {
    const client = await clientOf(new Recorder());

    const reply = await getStatus(client);

    expect(reply).toEqual({
      id: 1n,
      state: "Leader",
      term: 4n,
      lastApplied: 9n,
      commitIndex: 10n,
      storageSize: 5_000_000_000n,
    });
  });

  it.each([
    [{ op: 3 as wire.Op }, /op is 3; allowed: 0 \(PUT\), 1 \(APPEND\), 2 \(GET\)/],
    [{ op: -1 as wire.Op }, /op is -1/],
    [{ clientId: -1n }, /clientId is -1; allowed: a bigint from 0/],
    [{ commandId: -(2n ** 63n) }, /commandId is -9223372036854775808/],
  ])("never gets the command %o, which is INVALID_ARGUMENT", async (bad, details) => {
    const handler = new Recorder();
    const client = await clientOf(handler);

    const error = (await command(client, { key: "k", ...bad })) as ServiceError;

    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toMatch(details);
    expect(handler.heard).toEqual([]);
  });

  it.each([
    [{ ...STATUS, term: Number.NaN }, /term is NaN/],
    [{ ...STATUS, state: "Learner" as "Leader" }, /state is "Learner"/],
  ])("is INTERNAL when its status cannot be sent", async (reply, details) => {
    const client = await clientOf(Object.assign(new Recorder(), { status: () => reply }));

    const error = (await getStatus(client)) as ServiceError;

    expect(error.code).toBe(status.INTERNAL);
    expect(error.details).toMatch(details);
  });

  it("answers the next call when a caller has left before its handler was done", async () => {
    let [arrive, finish] = [() => {}, () => {}];
    const arrived = new Promise<void>((resolve) => (arrive = resolve));
    const finished = new Promise<void>((resolve) => (finish = resolve));
    const slow = async () => {
      arrive();
      await finished;
      return STATUS;
    };
    const client = await clientOf(Object.assign(new Recorder(), { status: slow }));
    const left = new Promise((resolve) => {
      const call = client.getStatus({}, resolve);
      void arrived.then(() => call.cancel());
    });

    expect(await left).toMatchObject({ code: status.CANCELLED });
    finish();

    expect(await getStatus(client)).toMatchObject({ state: "Leader" });
  });

  it("is INTERNAL with its own words when it throws, and answers the next call", async () => {
    const handler = Object.assign(new Recorder(), {
      status: () => {
        throw new Error("disk full");
      },
    });
    const client = await clientOf(handler);

    expect(await getStatus(client)).toMatchObject({ code: status.INTERNAL, details: "disk full" });
    expect(await command(client, { key: "k" })).toEqual({ err: "ErrNoKey", value: "" });
  });
});

it("refuses a handler that lacks a method", () => {
  expect(() => kvMethods({} as KvHandler)).toThrow(/2 problems: the handler has no method command; .*status/);
});
