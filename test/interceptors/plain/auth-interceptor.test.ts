import * as grpc from "@grpc/grpc-js";
import { type AuthContext, type AuthOptions, authInterceptor, callOptions } from "holdfast";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { configErrorOf } from "../../support/config-error.js";
import { KINDS } from "../../support/contract-calls.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { FakeTransport, startThrough, unaryThrough } from "./fake-below.js";
import { usePlainBench } from "./plain-bench.js";
import { TokenServer } from "./token-server.js";

const { status } = grpc;

/** A source of tokens that notes what it was asked, and answers when the test says so. */
class TokenSource {
  readonly asked: AuthContext[] = [];
  token = "old";
  #held: { resolve(token: string): void; reject(error: Error): void }[] | null = null;

  readonly getToken = (context: AuthContext): string | Promise<string> => {
    this.asked.push(context);
    if (!context.isRefresh) return this.token;
    if (this.#held === null) {
      this.token = "good";
      return this.token;
    }
    return new Promise<string>((resolve, reject) => this.#held?.push({ resolve, reject }));
  };

  hold(): void {
    this.#held = [];
  }

  release(token: string): void {
    this.token = token;
    for (const { resolve } of this.#held?.splice(0) ?? []) resolve(token);
  }

  fail(error: Error): void {
    for (const { reject } of this.#held?.splice(0) ?? []) reject(error);
  }

  get refreshes(): number {
    return this.asked.filter(({ isRefresh }) => isRefresh).length;
  }
}

function stage(options: AuthOptions = {}) {
  const source = new TokenSource();
  const transport = new FakeTransport();
  const clock = new ManualClock();
  const { getToken } = source;
  const all = options.getMetadata === undefined ? { getToken, ...options } : options;
  const interceptor = authInterceptor(all, { clock });
  return { source, transport, clock, interceptor };
}

const tokenOf = (metadata: grpc.Metadata | undefined) => metadata?.get("authorization");

describe("the auth interceptor", () => {
  it("B10: sends a bearer token with each call, in place of what the caller set", () => {
    const { interceptor, transport, source } = stage();
    const own = new grpc.Metadata();
    own.set("authorization", "Bearer mine");

    unaryThrough(interceptor, transport, { metadata: own, method: "/a.B/C" });

    expect(tokenOf(transport.last.metadata)).toEqual(["Bearer old"]);
    expect(tokenOf(own)).toEqual(["Bearer mine"]);
    expect(source.asked).toEqual([{ method: "/a.B/C", isRefresh: false }]);
  });

  it("sends whatever metadata a source gives", async () => {
    const credentials = new grpc.Metadata();
    credentials.set("x-api-key", "k");
    const { interceptor, transport } = stage({ getMetadata: async () => credentials });

    unaryThrough(interceptor, transport);
    await settle();

    expect(transport.last.metadata.get("x-api-key")).toEqual(["k"]);
  });

  it("R162: repeats an idempotent call once with new credentials", async () => {
    const { interceptor, transport, source } = stage({ idempotent: true });
    const { told } = unaryThrough(interceptor, transport);

    transport.last.answer(null);
    transport.last.end(status.UNAUTHENTICATED, "expired");
    await settle();
    expect(transport.last.order).toEqual(["request", "half-close"]);
    expect(tokenOf(transport.last.metadata)).toEqual(["Bearer good"]);
    transport.last.answer("answer");
    transport.last.end(status.OK);

    expect(told).toMatchObject({ messages: ["answer"], statuses: [{ code: status.OK }] });
    expect([transport.calls.length, source.refreshes]).toEqual([2, 1]);
  });

  it("B10: lets the second UNAUTHENTICATED surface", async () => {
    const { interceptor, transport, source } = stage({ idempotent: true });
    const { told } = unaryThrough(interceptor, transport);

    transport.last.end(status.UNAUTHENTICATED, "expired");
    await settle();
    transport.last.end(status.UNAUTHENTICATED, "still no");
    await settle();

    expect(told.statuses).toMatchObject([{ code: status.UNAUTHENTICATED, details: "still no" }]);
    expect([transport.calls.length, source.refreshes]).toEqual([2, 1]);
  });

  it("R162: does not repeat a call that is not declared idempotent, but the next one has new credentials", async () => {
    const { interceptor, transport, source } = stage();
    const { told } = unaryThrough(interceptor, transport);

    transport.last.end(status.UNAUTHENTICATED, "expired");
    await settle();
    unaryThrough(interceptor, transport);

    expect(told.statuses).toMatchObject([{ code: status.UNAUTHENTICATED, details: "expired" }]);
    expect(source.refreshes).toBe(1);
    expect(tokenOf(transport.last.metadata)).toEqual(["Bearer good"]);
  });

  it.each([
    ["the call's own word", {}, callOptions({ idempotent: true }), 2],
    ["the call's own no", { idempotent: true }, callOptions({ idempotent: false }), 1],
    ["its method", { methods: { "test.Service/Method": { idempotent: true } } }, {}, 2],
    ["its service", { methods: { "test.Service": { idempotent: true } } }, {}, 2],
    [
      "a no of its method",
      { idempotent: true, methods: { "test.Service/Method": { idempotent: false } } },
      {},
      1,
    ],
  ])("knows whether a call is idempotent from %s", async (_, auth, options, calls) => {
    const { interceptor, transport } = stage(auth);

    unaryThrough(interceptor, transport, { options });
    transport.last.end(status.UNAUTHENTICATED);
    await settle();

    expect(transport.calls).toHaveLength(calls);
  });

  it("knows an idempotent call by grpc-js's own mark", async () => {
    const { interceptor, transport } = stage();

    unaryThrough(interceptor, transport, { metadata: new grpc.Metadata({ idempotentRequest: true }) });
    transport.last.end(status.UNAUTHENTICATED);
    await settle();

    expect(transport.calls).toHaveLength(2);
  });

  it("does not repeat a stream of requests, nor an answer that has begun", async () => {
    const { interceptor, transport } = stage({ idempotent: true });
    startThrough(interceptor, transport, { requestStream: true });
    transport.last.end(status.UNAUTHENTICATED);
    const { told } = unaryThrough(interceptor, transport, { responseStream: true });
    transport.last.headers();
    transport.last.end(status.UNAUTHENTICATED);
    await settle();

    expect(transport.calls).toHaveLength(2);
    expect(told).toMatchObject({
      headers: [expect.anything()],
      statuses: [{ code: status.UNAUTHENTICATED }],
    });
  });

  it("does not repeat a call that its caller has cancelled", async () => {
    const { interceptor, transport } = stage({ idempotent: true });
    const { call, told } = unaryThrough(interceptor, transport);

    call.cancelWithStatus(status.CANCELLED, "never mind");
    transport.last.end(status.UNAUTHENTICATED);
    await settle();

    expect(told.statuses).toMatchObject([{ code: status.UNAUTHENTICATED }]);
    expect(transport.calls).toHaveLength(1);
  });

  it("refreshes once for a hundred calls that are refused together", async () => {
    const { interceptor, transport, source } = stage({ idempotent: true });
    source.hold();
    for (let call = 0; call < 100; call++)
      unaryThrough(interceptor, transport, { method: `/a.B/${call % 4}` });

    for (const below of [...transport.calls]) below.end(status.UNAUTHENTICATED);
    await settle();
    expect(source.refreshes).toBe(1);
    source.release("good");
    await settle();

    expect(transport.calls).toHaveLength(200);
    expect(transport.calls.slice(100).every(({ metadata }) => tokenOf(metadata)?.[0] === "Bearer good")).toBe(
      true,
    );
  });

  it("does not refresh again for a call that was refused with the credentials from before", async () => {
    const { interceptor, transport, source } = stage({ idempotent: true });
    unaryThrough(interceptor, transport);
    unaryThrough(interceptor, transport);

    transport.calls[0]?.end(status.UNAUTHENTICATED);
    await settle();
    transport.calls[1]?.end(status.UNAUTHENTICATED);
    await settle();

    expect(source.refreshes).toBe(1);
    expect(tokenOf(transport.last.metadata)).toEqual(["Bearer good"]);
  });

  it("refreshes again when what a refresh gave is refused later", async () => {
    const { interceptor, transport, source } = stage({ idempotent: true });
    unaryThrough(interceptor, transport);
    transport.last.end(status.UNAUTHENTICATED);
    await settle();

    unaryThrough(interceptor, transport);
    transport.last.end(status.UNAUTHENTICATED);
    await settle();

    expect(source.refreshes).toBe(2);
  });

  it("surfaces the server's answer, and why it was the last, when the refresh fails", async () => {
    const { interceptor, transport, source } = stage({ idempotent: true });
    source.hold();
    const { told } = unaryThrough(interceptor, transport);
    transport.last.end(status.UNAUTHENTICATED, "expired");
    await settle();

    source.fail(new Error("no such refresh token"));
    await settle();

    expect(told.statuses).toMatchObject([
      { code: status.UNAUTHENTICATED, details: "expired", origin: "remote" },
    ]);
    expect(told.statuses[0]?.["explanation"]).toContain(
      "asking for new credentials failed: no such refresh token",
    );
  });

  it("ends at once when it is cancelled, or late, while it waits for new credentials", async () => {
    const { interceptor, transport, source, clock } = stage({ idempotent: true });
    source.hold();
    const cancelled = unaryThrough(interceptor, transport, { options: { deadline: clock.epoch() + 50 } });
    transport.last.end(status.UNAUTHENTICATED);
    const late = unaryThrough(interceptor, transport, { options: { deadline: clock.epoch() + 50 } });
    transport.last.end(status.UNAUTHENTICATED);

    cancelled.call.cancelWithStatus(status.CANCELLED, "never mind");
    await clock.advance(50);
    source.release("good");
    await settle();

    expect(cancelled.told.statuses).toMatchObject([{ code: status.CANCELLED, processed: "maybe" }]);
    expect(late.told.statuses).toMatchObject([{ code: status.DEADLINE_EXCEEDED, processed: "maybe" }]);
    expect(transport.calls).toHaveLength(2);
    expect(clock.pendingTimers).toBe(0);
  });

  const refuse = () => {
    throw new Error("vault is sealed");
  };
  it.each([
    ["throws", refuse, "the source of credentials failed: vault is sealed"],
    ["rejects", async () => refuse(), "the source of credentials failed: vault is sealed"],
    ["gives nothing", () => undefined, "getToken gave no token"],
    ["gives an empty token", async () => "", "getToken gave no token"],
  ])("ends that call with a clear error when its source %s", async (_, getToken, sentence) => {
    const { interceptor, transport } = stage({ getToken: getToken as AuthOptions["getToken"] });

    const { told } = unaryThrough(interceptor, transport);
    await settle();

    expect(told.statuses).toMatchObject([
      { code: status.INTERNAL, reason: "METADATA_INVALID", processed: "no" },
    ]);
    expect(told.statuses[0]?.details).toContain(sentence);
    expect(transport.calls).toEqual([]);
  });

  it("never shows a token, not even one that no header may have", async () => {
    const { interceptor, transport } = stage({ getToken: () => "s3cret\r\nx-admin: 1" });

    const { told } = unaryThrough(interceptor, transport);
    await settle();

    expect(told.statuses[0]?.details).toContain("characters that no header may have");
    expect(JSON.stringify(told.statuses)).not.toContain("s3cret");
  });

  it.each([
    [{}, "give getToken or getMetadata"],
    [{ getToken: () => "a", getMetadata: () => new grpc.Metadata() }, "give getToken or getMetadata"],
    [{ getToken: "secret" }, "getToken: must be a function"],
    [{ getTokens: () => "a" }, "getTokens is not a known key (did you mean getToken?)"],
  ])("refuses %o", (options, sentence) => {
    const error = configErrorOf(() => authInterceptor(options as AuthOptions));

    expect(error.details).toContain(sentence);
    expect(error.details).not.toContain("secret");
  });
});

describe("the auth interceptor on a real client", () => {
  const bench = usePlainBench();
  let server: TokenServer;
  beforeAll(async () => {
    server = await TokenServer.start();
  });
  afterAll(() => server.stop());
  afterEach(() => {
    server.seen.length = 0;
  });

  it.each(KINDS)("C06: authorises a %s call with a token that comes late", async (kind) => {
    const stub = bench.open([authInterceptor({ getToken: async () => "good" })], server.address);

    const { error } = await bench.call(stub, kind, { texts: ["a", "b"] });

    expect(error).toBeNull();
    expect(server.seen).toEqual(["Bearer good"]);
  });

  it.each([
    ["unary", 2],
    ["serverStream", 2],
    ["clientStream", 1],
    ["bidi", 1],
  ] as const)("tells the caller of a %s call one end, after %i attempts", async (kind, attempts) => {
    const source = new TokenSource();
    const stub = bench.open(
      [authInterceptor({ getToken: source.getToken, idempotent: true })],
      server.address,
    );

    const { error, told } = await bench.call(stub, kind);

    expect(told).toEqual({ ends: 1, statuses: 1 });
    expect(error?.code).toBe(attempts === 2 ? undefined : status.UNAUTHENTICATED);
    expect(server.seen).toHaveLength(attempts);
    expect((await bench.call(stub, kind)).error).toBeNull();
  });
});
