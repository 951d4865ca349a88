import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CounterClient, type CountingServer, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { ending, endings, failureOf, Stage, startUnary } from "../support/stage.js";

const stage = new Stage();

/** A server whose answers are given by hand, in the order the requests came. */
async function byHand(): Promise<{ server: CountingServer; running: string[]; answer(): void }> {
  const server = await stage.server();
  const answers: (() => void)[] = [];
  const running: string[] = [];
  server.unary = (call, callback) => {
    running.push(String(call.request));
    answers.push(() => callback(null, call.request));
  };
  return { server, running, answer: () => answers.shift()?.() };
}

function calls(client: CounterClient, names: string): Promise<unknown>[] {
  return [...names].map((name) => unary(client, name));
}

describe("more calls than maxStreamsPerConnection", () => {
  it("queue, and go out in the order they were made as others end (R75)", async () => {
    const { server, running, answer } = await byHand();
    const { client, channel } = await stage.warm([server], { maxStreamsPerConnection: 2 });

    const results = calls(client, "abcdef");
    await server.received(2);
    const queued = channel.stats().callsQueued;
    for (let answered = 1; answered <= 6; answered++) {
      answer();
      await server.received(Math.min(2 + answered, 6));
      expect(running.length).toBe(Math.min(2 + answered, 6));
    }

    expect(queued).toBe(4);
    expect(running.join("")).toBe("abcdef");
    expect((await Promise.all(results)).length).toBe(6);
  });

  it("obey their deadline while they queue, and say that the server did not run them (R75)", async () => {
    const { server, answer } = await byHand();
    const { client } = await stage.warm([server], { maxStreamsPerConnection: 1 });
    const first = unary(client, "first");
    await server.received();

    const error = failureOf(await unary(client, "second", callOptions({ timeoutMs: 100 })));
    answer();

    expect(error).toMatchObject({ reason: "NO_READY_ENDPOINT", processed: "no" });
    expect(error.details).toContain("1 at the limit of 1 streams");
    expect(ending(await first)).toBe("OK");
    expect(server.executions.Unary).toBe(1);
  });

  it("leave their place in the queue when they are cancelled", async () => {
    const { server, running, answer } = await byHand();
    const { client, channel } = await stage.warm([server], { maxStreamsPerConnection: 1 });
    const first = unary(client, "a");
    await server.received();
    const second = startUnary(client);
    const third = unary(client, "c");
    await until(() => channel.stats().callsQueued === 2, "two queued calls");

    second.call.cancel();
    answer();
    await server.received(2);
    answer();

    expect(endings([await first, await second.result, await third])).toEqual({
      OK: 2,
      "CANCELLED CANCELLED no": 1,
    });
    expect(running).toEqual(["a", "c"]);
  });

  it("go to another endpoint where there is room", async () => {
    const [full, free] = [await byHand(), await stage.server()];
    const { client } = await stage.warm([full.server, free], { maxStreamsPerConnection: 1 });

    const held = [unary(client, "a"), unary(client, "b")];
    await full.server.received();
    const results = [];
    for (let call = 0; call < 10; call++) results.push(await unary(client, "x"));
    full.answer();

    expect(endings(results)).toEqual({ OK: 10 });
    expect(endings(await Promise.all(held))).toEqual({ OK: 2 });
    expect(full.server.executions.Unary).toBe(1);
  });
});
