import http2 from "node:http2";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { type RawRequest, respondOk, rst } from "../support/raw-http2-server.js";
import { endings, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const PICK_FIRST = { loadBalancing: "pick_first" as const };
const refuse = ({ stream }: RawRequest): void => rst(stream, http2.constants.NGHTTP2_REFUSED_STREAM);

/** A server at its limit, or on its way out: the stream is refused before any application saw it (R21). */
describe("a server refuses the stream before the application sees it", () => {
  it("repeats a call that is not idempotent on another endpoint, once and at no cost (R21, R167)", async () => {
    const [refusing, up] = [await stage.raw(refuse), await stage.server()];
    const { client, channel, events } = await stage.warm([refusing, up]);

    const results = [];
    while (refusing.streamsStarted === 0) results.push(await unary(client, "x"));

    expect(endings(results)).toEqual({ OK: results.length });
    expect([refusing.streamsStarted, up.executions.Unary]).toEqual([1, results.length]);
    expect(up.calls.at(-1)?.metadata.get("grpc-previous-rpc-attempts")).toEqual([]);
    expect(events.of("call.retry")).toMatchObject([{ kind: "transparent", delayMs: 0 }]);
    expect(channel.stats().calls).toMatchObject({ retries: 0, transparentRetries: 1 });
    expect(channel.stats().throttle).toEqual({ tokens: 20, maxTokens: 20 });
    expect(channel.endpoints().map(({ breaker }) => breaker)).toEqual(["closed", "closed"]);
  });

  it("says that the server did not run it when every endpoint refuses (R21)", async () => {
    const [first, second] = [await stage.raw(refuse), await stage.raw(refuse)];
    const { client } = stage.harden([first, second], {
      ...PICK_FIRST,
      retry: { maxAttempts: 2, backoff: { kind: "immediate" } },
    });

    const error = failureOf(await unary(client, "x"));

    // One transparent retry, then by policy: a refused stream is safe to repeat also without idempotency.
    expect(error).toMatchObject({ code: status.UNAVAILABLE, processed: "no", origin: "local" });
    expect(error.attempts.map(({ processed }) => processed)).toEqual(["no", "no", "no"]);
    expect(first.streamsStarted + second.streamsStarted).toBe(3);
  });

  it("gives the one transparent retry to another endpoint, where bare grpc-js asks the same one again (R167)", async () => {
    const answer = (request: RawRequest): void =>
      request.index === 1 ? refuse(request) : respondOk(request.stream);
    const [ours, theirs] = [await stage.raw(answer), await stage.raw(answer)];
    const up = await stage.server();
    const { client, events } = await stage.warm([ours, up]);
    const bare = stage.bare([theirs], { loadBalancingConfig: [{ pick_first: {} }] });

    while (ours.streamsStarted === 0) await unary(client, "x");
    await unary(bare, "x");

    expect(events.picks.slice(-2)).toEqual([ours.address, up.address]);
    expect(theirs.streamsStarted).toBe(2);
  });
});
