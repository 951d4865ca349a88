import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { createChannel, harden, promises, stubFor } from "holdfast";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { Client as ArrowClient } from "../fixtures/stubs/arrow-methods.js";
import { type Answer, ContractClient } from "../fixtures/stubs/generated/ts-proto/contract.js";
import { Client as HandWrittenClient } from "../fixtures/stubs/hand-written.js";
import { Client as PrivateClient } from "../fixtures/stubs/private-member.js";
import { QUICK } from "../support/contract-doors.js";
import { DirectedServer, direct } from "../support/directed-server.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";
import { passThrough, readToEnd, rejection } from "./promises-scene.js";

const ASK = { text: "a", repeat: 2 };

let server: DirectedServer;
let baseline: LeakBaseline;
const closings: (() => unknown)[] = [];
beforeAll(async () => {
  server = await DirectedServer.start();
});
afterAll(() => server.stop());
beforeEach(async () => {
  baseline = await leakBaseline();
});
afterEach(async () => {
  vi.restoreAllMocks();
  for (const close of closings.splice(0)) await close();
  await baseline.expectClean();
});

function channel() {
  const made = createChannel(`static:///${server.address}`, { ...QUICK, insecure: true });
  closings.push(() => made.close({ drainMs: 0 }));
  return made;
}

function plainStub(options: grpc.ClientOptions = {}): ContractClient {
  const stub = new ContractClient(server.address, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    ...options,
  });
  closings.push(() => stub.close());
  return stub;
}

describe("a call goes straight to the channel", () => {
  it("when nothing stands between", async () => {
    const made = channel();
    const callers: boolean[] = [];
    const createCall = made.createCall.bind(made);
    vi.spyOn(made, "createCall").mockImplementation((...args) => {
      callers.push(/makeUnaryRequest/.test(new Error().stack ?? ""));
      return createCall(...args);
    });

    const answer = await promises(stubFor(ContractClient, made)).unary(ASK);
    await promises(stubFor(ContractClient, made, { interceptors: [passThrough] })).unary(ASK);

    expect(answer).toEqual({ text: "a", count: 1 });
    expect(callers).toEqual([false, true]);
  });

  it("never past interceptors, providers or a transformer of the stub's own", async () => {
    const seen: string[] = [];
    const interceptor: grpc.Interceptor = (options, nextCall) => {
      seen.push("interceptor");
      return passThrough(options, nextCall);
    };
    const made = channel();
    const stubs = [
      stubFor(ContractClient, made, { interceptors: [interceptor] }),
      stubFor(ContractClient, made, { interceptor_providers: [() => interceptor] }),
      stubFor(ContractClient, made, {
        callInvocationTransformer: (properties) => {
          seen.push("transformer");
          return properties;
        },
      }),
      harden(plainStub({ interceptors: [interceptor] }), { insecure: true }),
    ];
    closings.push(() => stubs[3]?.getChannel().close({ drainMs: 0 }));

    for (const stub of stubs) await promises(stub).unary(ASK);

    expect(seen).toEqual(["interceptor", "interceptor", "transformer", "interceptor"]);
  });

  it("never past an interceptor that is added to the stub's list later", async () => {
    const seen: string[] = [];
    const interceptors: grpc.Interceptor[] = [];
    const client = promises(stubFor(ContractClient, channel(), { interceptors }));

    await client.unary(ASK);
    interceptors.push((options, nextCall) => {
      seen.push("added");
      return passThrough(options, nextCall);
    });
    await client.unary(ASK);

    expect(seen).toEqual(["added"]);
  });

  it("never past a method that somebody wrapped, before or after", async () => {
    const seen: string[] = [];
    const wrap = (stub: ContractClient, mark: string): void => {
      const original = stub.unary;
      const wrapped = function (this: ContractClient, ...args: Parameters<typeof original>) {
        seen.push(mark);
        return original.apply(this, args);
      };
      // As tracers do it: the definition goes along.
      stub.unary = Object.assign(wrapped, original) as typeof original;
    };
    const early = stubFor(ContractClient, channel());
    wrap(early, "before");
    const late = stubFor(ContractClient, channel());
    const client = promises(late);
    wrap(late, "after");

    await promises(early).unary(ASK);
    await client.unary(ASK);

    expect(seen).toEqual(["before", "after"]);
  });

  it("never past a method that a subclass overrides", async () => {
    let runs = 0;
    class Counting extends (ContractClient as unknown as new (
      ...args: ConstructorParameters<typeof grpc.Client>
    ) => ContractClient) {
      override unary(...args: unknown[]): grpc.ClientUnaryCall {
        runs++;
        return (super.unary as (...args: unknown[]) => grpc.ClientUnaryCall)(...args);
      }
    }
    const stub: ContractClient = stubFor(Counting, channel()) as ContractClient;

    const answer = await promises(stub).unary(ASK, { idempotent: true });

    expect(answer.text).toBe("a");
    expect(runs).toBe(1);
  });
});

describe("a stub written by hand", () => {
  it("is called as what its methods turn out to be, without a call to find out", async () => {
    const client = promises(stubFor(HandWrittenClient, channel()));
    const before = server.receivedCount;

    const unary = (await client.unary(ASK)) as Answer;
    const list = await readToEnd(client.serverStream(ASK));
    const upload = (await client.clientStream([ASK, ASK])) as Answer;
    const talk = await readToEnd(client.bidi([ASK]));

    expect(unary.text).toBe("a");
    expect(list.items).toHaveLength(2);
    expect(upload.text).toBe("a,a");
    expect(talk.items).toHaveLength(1);
    expect(server.receivedCount - before).toBe(4);
  });

  it.each([
    ["with methods bound to it", ArrowClient],
    ["with a private member", PrivateClient],
  ])("%s says what is missing, and is called once that is there", async (_name, Client) => {
    class Described extends (Client as typeof HandWrittenClient) {
      static readonly service = { unary: ContractServiceOf("unary") };
    }
    const made = channel();

    expect(() => promises(stubFor(Client as typeof HandWrittenClient, made)).unary(ASK)).toThrowError(
      /unary of ContractClient does not tell what kind of method it is; give the class a static "service"/,
    );
    const answer = (await promises(stubFor(Described, made)).unary(ASK)) as Answer;

    expect(answer.text).toBe("a");
  });
});

describe("a stub of grpc-js alone", () => {
  it("takes a timeout, a deadline and a signal", async () => {
    const client = promises(plainStub());
    const metadata = direct("hang");
    const controller = new AbortController();
    const begun = server.received(server.receivedCount + 1);
    const aborted = rejection(client.unary(ASK, { metadata, signal: controller.signal }));
    await begun;
    controller.abort("enough");

    const late = await rejection(client.unary(ASK, { metadata, timeoutMs: 50 }));
    const { error } = await readToEnd(client.serverStream(ASK, { metadata, deadline: Date.now() + 50 }));

    expect(late).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(error).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED, processed: "maybe" });
    expect(await aborted).toMatchObject({ code: grpc.status.CANCELLED, cause: "enough" });
  });

  it("refuses by name the settings that need our channel", async () => {
    const client = promises(plainStub());

    const error = await rejection(client.unary(ASK, { idempotent: true, retry: false, timeoutMs: 5 }));

    expect(error).toMatchObject({ reason: "CONFIG_INVALID" });
    expect(error.details).toMatch(
      /2 problems: idempotent needs a hardened stub.*retry needs a hardened stub/,
    );
  });

  it("runs hooks in their caller's context, whoever opened the connection", async () => {
    const storage = new AsyncLocalStorage<string>();
    const contexts: unknown[] = [];
    const client = promises(plainStub());
    const note = (): void => void contexts.push(storage.getStore());
    const options = { metadata: direct("headers"), onHeaders: note, onStatus: note };

    const first = storage.run("first", () => client.unary(ASK));
    await storage.run("second", () => client.unary(ASK, options));
    await storage.run("third", () => readToEnd(client.serverStream(ASK, options)));
    await first;

    expect(contexts).toEqual(["second", "second", "third", "third"]);
  });

  it("fails with the words of grpc-js and what is known of the outcome", async () => {
    const client = promises(plainStub());
    const refused = promises(new ContractClient("127.0.0.1:1", grpc.credentials.createInsecure()));
    const stub = plainStub();
    stub.close();

    const errors = [
      await rejection(client.unary(ASK, { metadata: direct("fail") })),
      await rejection(refused.unary(ASK)),
      await rejection(promises(stub).unary(ASK)),
    ];

    expect(errors[0]).toMatchObject({ reason: "REMOTE", origin: "remote", processed: "maybe", attempts: [] });
    expect(errors[1]).toMatchObject({ reason: "DIAL_FAILED", origin: "local", processed: "no" });
    expect(errors[2]).toMatchObject({ reason: "CLIENT_CLOSED", origin: "local", processed: "no" });
  });
});

/** The definition of a method, as generated classes carry it. */
function ContractServiceOf(name: "unary"): object {
  return ContractClient.service[name];
}
