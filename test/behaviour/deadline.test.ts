import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, hang, unary, unavailable } from "../support/counting-server.js";
import { turns, until } from "../support/event-loop.js";
import { acceptOnly } from "../support/silent-server.js";
import { ending, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const NEVER_MS = 600_000;
const SLOW_RETRY = { retry: { backoff: { kind: "fixed" as const, initialMs: NEVER_MS, maxMs: NEVER_MS } } };

describe("the deadline of a call passes", () => {
  it("ends a wait between two attempts, and tells the last failure (R12)", async () => {
    const server = await stage.server({ handler: unavailable() });
    const { client } = stage.harden([server], SLOW_RETRY);

    const error = failureOf(await unary(client, "x", callOptions({ timeoutMs: 150, idempotent: true })));

    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" });
    expect(error.details).toContain("last failure: scripted");
    // The server answered UNAVAILABLE, which does not prove that it did not run the call.
    expect(error).toMatchObject({ processed: "maybe", attempts: [{ code: status.UNAVAILABLE }] });
    expect(server.executions.Unary).toBe(1);
  });

  it("ends a wait for an endpoint, and says that the server did not run the call (R47)", async () => {
    const silent = stage.use(await acceptOnly());
    const { client, channel } = stage.harden([silent]);

    const error = failureOf(await unary(client, "x", callOptions({ timeoutMs: 150 })));

    expect(error).toMatchObject({ code: status.DEADLINE_EXCEEDED, reason: "NO_READY_ENDPOINT" });
    expect(error).toMatchObject({ processed: "no", attempts: [] });
    expect(error.details).toContain("1 CONNECTING");
    expect(channel.stats()).toMatchObject({ callsQueued: 0, callsInFlight: 0 });
  });

  it("ends a call in flight and tells the server, which may have run it (R50)", async () => {
    const server = await stage.server({ handler: hang() });
    const { client } = stage.harden([server]);

    const result = await unary(client, "x", callOptions({ timeoutMs: 150 }));

    expect(ending(result)).toBe("DEADLINE_EXCEEDED DEADLINE_EXCEEDED maybe");
    await until(() => server.calls[0]?.isCancelled === true, "the end of the call on the server");
  });

  it("ends a stream in flight after what it has delivered (R50)", async () => {
    const server = await stage.server();
    server.serverStream = (call) => void call.write(Buffer.from("first"));
    const { client } = stage.harden([server]);

    const { texts, status: end } = await collect(
      client.serverStream(Buffer.from("x"), callOptions({ timeoutMs: 150 })),
    );

    expect(texts).toEqual(["first"]);
    expect(ending(end)).toBe("DEADLINE_EXCEEDED DEADLINE_EXCEEDED yes");
  });

  it("keeps a call whose deadline is past from being sent at all, where bare grpc-js runs it (R51)", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server]);
    const bare = stage.bare([server]);
    await Promise.all([unary(client, "warm"), unary(bare, "warm")]);

    const ours = await unary(client, "x", { deadline: Date.now() - 1_000 });
    await turns(20);
    const executedForUs = server.executions.Unary - 2;
    const theirs = await unary(bare, "x", { deadline: Date.now() - 1_000 });
    await server.received(3);

    expect(ending(ours)).toBe("DEADLINE_EXCEEDED DEADLINE_EXCEEDED no");
    expect(executedForUs).toBe(0);
    expect(ending(theirs)).toBe("DEADLINE_EXCEEDED");
  });

  it("comes for every unary call, also where the caller set none", async () => {
    const server = await stage.server({ handler: hang() });
    const { client } = stage.harden([server], { timeoutMs: 150 });

    const result = await unary(client, "x", callOptions({}));

    expect(ending(result)).toBe("DEADLINE_EXCEEDED DEADLINE_EXCEEDED maybe");
  });
});
