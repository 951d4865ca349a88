import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type CallArgs, type CallEnd, callToEnd, KINDS, startCall } from "../support/contract-calls.js";
import { describeAllDoors, itWhere, type OpenDoor } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";
import { FaultProxy } from "../support/fault-proxy.js";
import { acceptOnly } from "../support/silent-server.js";

const storage = new AsyncLocalStorage<string>();

describeAllDoors((entrance) => {
  const { flavour } = entrance;
  let proxy: FaultProxy;
  beforeAll(async () => {
    proxy = await FaultProxy.start(entrance.servers[0]!.port);
  });
  afterAll(() => proxy.close());

  /** One call of each kind, each in a context of its own; `strays` are the events that came in another. */
  function callInContexts({ stub }: OpenDoor, args: CallArgs = {}) {
    const events = new Set<string>();
    const strays: string[] = [];
    const ends = KINDS.map((kind) => {
      const onNews = (event: string): void => {
        events.add(`${kind} ${event}`);
        const context = storage.getStore();
        if (context !== kind) strays.push(`${event} of ${kind} came in the context ${context}`);
      };
      return storage.run(kind, () => startCall(flavour, stub, kind, { ...args, onNews })).end;
    });
    return { ends: Promise.all(ends), events, strays };
  }

  const isKept = entrance.can("asyncContext");

  itWhere(isKept)("keeps the caller's context in every callback and event", async () => {
    const opened = entrance.open();
    await storage.run("first caller", () => callToEnd(flavour, opened.stub, "unary"));

    const { ends, events, strays } = callInContexts(opened);
    await ends;

    expect(strays).toEqual([]);
    expect(events).toContain("unary callback");
    expect(events).toContain("serverStream data");
    expect(events).toContain("clientStream metadata");
    expect(events).toContain("bidi end");
  });

  itWhere(isKept)(
    "keeps the caller's context when its call waited for a dial that another began",
    async () => {
      const opened = entrance.open();
      const first = storage.run("first caller", () => startCall(flavour, opened.stub, "unary"));

      const { ends, strays } = callInContexts(opened);
      const errors = errorsOf(await ends);
      await first.end;

      expect(errors).toEqual([null, null, null, null]);
      expect(strays).toEqual([]);
    },
  );

  itWhere(isKept && entrance.can("retry"))(
    "keeps the caller's context when its call was retried",
    async () => {
      const opened = entrance.open();

      const { ends, strays } = callInContexts(opened, {
        metadata: direct("fail-first", { idempotentRequest: true }),
      });
      const errors = errorsOf(await ends);

      expect(errors).toEqual([null, null, null, null]);
      expect(entrance.runs).toHaveLength(8);
      expect(strays).toEqual([]);
    },
  );

  it("keeps the caller's context when another aborts a call that waits for a connection", async () => {
    const silent = await acceptOnly();
    const opened = entrance.open({ addresses: [silent.address] });
    const controller = new AbortController();
    const { ends, events, strays } = callInContexts(opened, {
      options: callOptions({ signal: controller.signal }),
    });
    await silent.accepted();

    storage.run("aborter", () => controller.abort());
    const errors = errorsOf(await ends);
    await silent.close();

    expect(errors.map((error) => error?.code)).toEqual(Array(4).fill(grpc.status.CANCELLED));
    expect(strays).toEqual([]);
    expect(events).toContain("clientStream callback");
  });

  it("keeps the caller's context when its call lost the connection", async () => {
    const opened = entrance.open({ addresses: [proxy.address] });
    const [server] = entrance.servers;
    await storage.run("first caller", () => callToEnd(flavour, opened.stub, "unary"));
    const begun = server!.received(server!.receivedCount + 4);
    const { ends, events, strays } = callInContexts(opened, { metadata: direct("hang"), isLeftOpen: true });
    await begun;

    storage.run("breaker of connections", () => proxy.resetAll());
    const errors = errorsOf(await ends);

    expect(errors.map((error) => error?.code)).toEqual(Array(4).fill(grpc.status.UNAVAILABLE));
    expect(strays).toEqual([]);
    expect(events).toContain("bidi error");
  });
});

function errorsOf(ends: readonly CallEnd[]): readonly (grpc.ServiceError | null)[] {
  return ends.map(({ error }) => error);
}
