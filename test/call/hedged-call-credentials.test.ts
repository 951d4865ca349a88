import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { refreshingCredentials } from "../../src/call/index.js";
import { type ChannelBench, NOTHING_LEFT } from "../support/channel-bench.js";
import { unary } from "../support/test-call.js";
import { answer, failAttempt, hedgedBench } from "./hedges.js";

/** Where credentials may go without TLS. */
const PRIVATE = ["unix:/a", "unix:/b", "unix:/c"];

/** grpc-js asks for the credentials of each attempt as it starts. */
async function ask(bench: ChannelBench, index: number): Promise<string> {
  const { credentials } = bench.network.call(index);
  const metadata = await credentials?.generateMetadata({ method_name: "/test.Echo/Say", service_url: "" });
  return String(metadata?.get("authorization")[0]);
}

/** A channel whose credentials count how often they were fetched, and how often anew. */
async function secured(options = {}) {
  const asked: boolean[] = [];
  const callCredentials = refreshingCredentials(({ isRefresh }) => {
    asked.push(isRefresh);
    return { authorization: `token ${asked.filter(Boolean).length}` };
  });
  const bench = await hedgedBench({ callCredentials, ...options }, { addresses: PRIVATE });
  return { bench, asked, refused: (index: number) => failAttempt(bench, index, {}, status.UNAUTHENTICATED) };
}

describe("a hedged call whose credentials are not accepted", () => {
  it("is repeated once with fresh ones (B10, R162)", async () => {
    const { bench, refused } = await secured();
    const call = unary(bench.channel);
    await bench.settle();
    await ask(bench, 0);

    await refused(0);
    expect(await ask(bench, 1)).toBe("token 1");
    await answer(bench, 1);

    expect(call.messages).toEqual(["answer 1"]);
    expect(call.status.attempts).toMatchObject([{ next: "repeated once with fresh credentials" }]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("ends when the fresh ones are not accepted either, with one refresh in all (B10)", async () => {
    const { bench, asked, refused } = await secured();
    const call = unary(bench.channel);
    await bench.settle();
    await ask(bench, 0);
    await refused(0);
    await ask(bench, 1);

    await refused(1);

    expect(call.status).toMatchObject({ code: status.UNAUTHENTICATED, reason: "REMOTE" });
    expect(asked.filter(Boolean)).toHaveLength(1);
    expect(bench.network.calls).toHaveLength(2);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("waits for the attempt with fresh ones when others that had the old ones are refused, too (B10)", async () => {
    const { bench, asked, refused } = await secured();
    const call = unary(bench.channel);
    await bench.settle();
    await bench.advance(50);
    await ask(bench, 0);
    await ask(bench, 1);

    await refused(0);
    await ask(bench, 2);
    await refused(1);
    expect(call.isOver).toBe(false);
    await answer(bench, 2);

    expect(call.messages).toEqual(["answer 2"]);
    expect(asked.filter(Boolean)).toHaveLength(1);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("ends at once where its credentials cannot be fetched anew (R34)", async () => {
    const bench = await hedgedBench();
    const call = unary(bench.channel);
    await bench.settle();

    await failAttempt(bench, 0, {}, status.UNAUTHENTICATED);

    expect(call.status.code).toBe(status.UNAUTHENTICATED);
    expect(bench.network.calls).toHaveLength(1);
  });
});
