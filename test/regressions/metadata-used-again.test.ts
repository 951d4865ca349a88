import { Metadata, status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { IDEMPOTENT, readyBench } from "../support/channel-bench.js";
import { settle } from "../support/manual-clock.js";
import { unary } from "../support/test-call.js";

it("each call of a turn carries the metadata as it was when the call was made", async () => {
  const bench = await readyBench();
  const metadata = new Metadata();

  for (const user of ["alice", "bob"]) {
    metadata.set("user", user);
    unary(bench.channel, { metadata });
  }
  await settle();

  expect(bench.network.calls.map((call) => call.metadata.get("user"))).toEqual([["alice"], ["bob"]]);
});

it("metadata that was empty stays empty, whatever its owner adds for the next call", async () => {
  const bench = await readyBench();
  const metadata = new Metadata();

  unary(bench.channel, { metadata });
  metadata.set("user", "bob");
  await settle();

  expect(bench.network.current.metadata.get("user")).toEqual([]);
});

it("a retry carries the metadata of its call, not what its owner made of it since", async () => {
  const bench = await readyBench(IDEMPOTENT);
  const metadata = new Metadata();
  metadata.set("user", "alice");
  await bench.unary({ metadata });

  metadata.set("user", "bob");
  bench.network.current.fail(status.UNAVAILABLE);
  await bench.advance(200);

  expect(bench.network.calls).toHaveLength(2);
  expect(bench.network.current.metadata.get("user")).toEqual(["alice"]);
});
