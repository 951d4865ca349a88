import { EventEmitter } from "node:events";
import * as grpc from "@grpc/grpc-js";
import { createChannel, promises, stubFor } from "holdfast";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ContractClient } from "../fixtures/stubs/generated/ts-proto/contract.js";
import { QUICK } from "../support/contract-doors.js";
import { DirectedServer, direct } from "../support/directed-server.js";
import { type LeakBaseline, leakBaseline, listenerCounts } from "../support/leak-check.js";
import { testAuthority } from "../support/tls-certs.js";
import { tlsServerCredentials } from "../support/tls-server.js";
import { passThrough, readToEnd, rejection } from "./promises-scene.js";

const ASK = { text: "a", repeat: 2 };
const { CANCELLED, DEADLINE_EXCEEDED } = grpc.status;

let server: DirectedServer;
/** Credentials go over TLS only. */
let ca: Buffer;
let baseline: LeakBaseline;
const closings: (() => unknown)[] = [];
beforeAll(async () => {
  const certificate = await (await testAuthority()).server();
  ca = certificate.ca;
  server = await DirectedServer.start(tlsServerCredentials(certificate));
});
afterAll(() => server.stop());
beforeEach(async () => {
  server.runs.length = 0;
  baseline = await leakBaseline();
});
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close();
  await baseline.expectClean();
});

function hardened(interceptors: grpc.Interceptor[] = []): ContractClient {
  const channel = createChannel(`static:///${server.address}`, { ...QUICK, tls: { ca } });
  closings.push(() => channel.close({ drainMs: 0 }));
  return stubFor(ContractClient, channel, { interceptors });
}

function plain(): ContractClient {
  const stub = new ContractClient(server.address, grpc.credentials.createSsl(ca), {
    "grpc.use_local_subchannel_pool": 1,
  });
  closings.push(() => stub.close());
  return stub;
}

/** A server's own call, as far as clients look at it. */
class ParentCall extends EventEmitter {
  cancelled = false;

  constructor(private readonly deadline = Number.POSITIVE_INFINITY) {
    super();
  }

  getDeadline(): number {
    return this.deadline;
  }

  cancel(): void {
    this.cancelled = true;
    this.emit("cancelled");
  }

  get asParent(): grpc.ServerUnaryCall<unknown, unknown> {
    return this as unknown as grpc.ServerUnaryCall<unknown, unknown>;
  }
}

describe.each([
  ["straight to the channel", () => hardened()],
  ["through an interceptor", () => hardened([passThrough])],
  ["over a plain stub", plain],
])("a call on behalf of a server's call, %s", (_way, open) => {
  it("ends at its parent's deadline", async () => {
    const parent = new ParentCall(Date.now() + 60).asParent;

    const error = await rejection(
      promises(open()).unary(ASK, { parent, timeoutMs: 10_000, metadata: direct("hang") }),
    );

    expect(error).toMatchObject({ code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
  });

  it.each(["unary", "serverStream"] as const)("ends when its parent is cancelled: %s", async (kind) => {
    const client = promises(open());
    const parent = new ParentCall();
    const begun = server.received(server.receivedCount + 1);
    const heard = server.cancelled(server.cancelledCount + 1);
    const options = { parent: parent.asParent, metadata: direct("hang") };
    const ended =
      kind === "unary"
        ? rejection(client.unary(ASK, options))
        : readToEnd(client.serverStream(ASK, options)).then(({ error }) => error);
    await begun;

    parent.cancel();
    const error = await ended;
    await heard;

    expect(error).toMatchObject({ code: CANCELLED, reason: "CANCELLED", processed: "maybe" });
    expect(error?.details).toContain("Cancelled by parent call");
    expect(listenerCounts(parent)).toEqual({});
  });

  it("takes from its parent what propagateFlags says, and nothing else", async () => {
    const client = promises(open());
    const late = new ParentCall(Date.now() - 1);
    const cancelled = new ParentCall();
    cancelled.cancel();

    await client.unary(ASK, { parent: late.asParent, propagateFlags: grpc.propagate.CANCELLATION });
    await client.unary(ASK, { parent: cancelled.asParent, propagateFlags: grpc.propagate.DEADLINE });
    const errors = [
      await rejection(client.unary(ASK, { parent: late.asParent, propagateFlags: grpc.propagate.DEADLINE })),
      await rejection(
        client.unary(ASK, { parent: cancelled.asParent, propagateFlags: grpc.propagate.CANCELLATION }),
      ),
    ];

    expect(errors.map(({ code }) => code)).toEqual([DEADLINE_EXCEEDED, CANCELLED]);
    expect(server.runs).toHaveLength(2);
  });

  it("is never sent when it is over already, though the connection is warm", async () => {
    const client = promises(open());
    await client.unary(ASK);
    const parent = new ParentCall();
    parent.cancel();

    const errors = [
      await rejection(client.unary(ASK, { parent: parent.asParent })),
      await rejection(client.clientStream([ASK], { parent: parent.asParent })),
      await rejection(client.unary(ASK, { deadline: Date.now() - 5 })),
      (await readToEnd(client.bidi([ASK], { parent: new ParentCall(Date.now() - 5).asParent }))).error,
    ];
    await client.unary(ASK);

    expect(errors.map((error) => error?.code)).toEqual([
      CANCELLED,
      CANCELLED,
      DEADLINE_EXCEEDED,
      DEADLINE_EXCEEDED,
    ]);
    for (const error of errors) expect(error).toMatchObject({ origin: "local", processed: "no" });
    expect(server.runs).toHaveLength(2);
  });

  it("leaves no listener on its parent, which may make many", async () => {
    const client = promises(open());
    const parent = new ParentCall();

    for (let call = 0; call < 12; call++) await client.unary(ASK, { parent: parent.asParent });

    expect(listenerCounts(parent)).toEqual({});
  });

  it("sends the credentials of the call", async () => {
    const asked: string[] = [];
    const credentials = grpc.CallCredentials.createFromMetadataGenerator((_context, callback) => {
      asked.push("token");
      const metadata = new grpc.Metadata();
      metadata.set("authorization", `token ${asked.length}`);
      callback(null, metadata);
    });
    const client = promises(open());

    await client.unary(ASK, { credentials });
    await readToEnd(client.serverStream(ASK, { credentials }));
    await client.unary(ASK);

    expect(server.runs.map(({ metadata }) => metadata.get("authorization"))).toEqual([
      ["token 1"],
      ["token 2"],
      [],
    ]);
  });
});

it("a handler that calls on passes its caller's cancel to the next server", async () => {
  const next = promises(hardened());
  const front = new grpc.Server();
  front.addService(ContractClient.service as grpc.ServiceDefinition, {
    unary(parent: grpc.ServerUnaryCall<typeof ASK, unknown>) {
      next.unary(parent.request, { parent, metadata: direct("hang") }).catch(() => {});
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    front.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  closings.push(() => front.forceShutdown());
  const caller = new ContractClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  closings.push(() => caller.close());
  const begun = server.received(server.receivedCount + 1);
  const heard = server.cancelled(server.cancelledCount + 1);
  const controller = new AbortController();
  const ended = rejection(promises(caller).unary(ASK, { signal: controller.signal }));
  await begun;

  controller.abort();

  expect(await ended).toMatchObject({ code: CANCELLED });
  await heard;
});
