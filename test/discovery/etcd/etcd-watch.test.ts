import { expect, it } from "vitest";
import type { RpcStream } from "../../../src/core/index.js";
import type { EtcdClient } from "../../../src/discovery/etcd/etcd-client.js";
import { EtcdWatch } from "../../../src/discovery/etcd/etcd-watch.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";

it("cancels a stream that is opened only after its end", async () => {
  const clock = new ManualClock();
  const did: string[] = [];
  let open = (_stream: RpcStream<unknown>): void => {};
  const opening = new Promise<RpcStream<unknown>>((resolve) => {
    open = resolve;
  });
  const client = { stream: () => opening, reconnect: () => did.push("reconnect") } as unknown as EtcdClient;
  const deps = { clock, random: fixedRandom(0.5) };
  const silent = { onCreated: () => {}, onEvents: () => {}, onAlive: () => {}, onEnd: () => did.push("end") };
  const watch = new EtcdWatch(client, "users", deps, { answerMs: 1_000, silenceMs: 10_000 }, silent);
  watch.start(3n, false);

  watch.close();
  open({ send: () => did.push("send"), cancel: () => did.push("cancel") });
  await settle();

  expect(did).toEqual(["cancel"]);
  expect(clock.pendingTimers).toBe(0);
});
