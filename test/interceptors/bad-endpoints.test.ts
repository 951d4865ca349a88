import * as grpc from "@grpc/grpc-js";
import { createChannel, type Endpoint, harden, type ResilientChannel } from "holdfast";
import { afterEach, beforeEach, expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

let channel: ResilientChannel;
beforeEach(() => {
  channel = createChannel("static:///127.0.0.1:9", { insecure: true });
  channel.updateEndpoints(["127.0.0.1:10"]);
});
afterEach(() => channel.close());

it.each([
  [[], "the list is empty; allowed: one address or more"],
  [["a"], '"a" has no port'],
  [["a:0"], '"a:0" has the port "0"; allowed are 1 to 65535'],
  [["a:70000"], 'has the port "70000"; allowed are 1 to 65535'],
  [["dns:///a:1"], '"dns:///a:1"'],
  [["a:1", "A:1"], "listed twice"],
  [[{ address: "::1" }], "without brackets"],
  [null, "null"],
  [undefined, "undefined"],
  ["a:1", `"a:1"`],
  [[null], "null"],
  [[5], "5"],
  [[{}], "address"],
  [[{ address: 5 }], "address"],
  [[{ address: "a:1", weight: Number.NaN }], "weight"],
  [[{ address: "a:1", prioriti: 1 }], "priority"],
])("refuses the endpoints %j with one error, and keeps those it has", (endpoints, sentence) => {
  const error = configErrorOf(() => channel.updateEndpoints(endpoints as unknown as Endpoint[]));

  expect(error.reason).toBe("CONFIG_INVALID");
  expect(error.details).toMatch(/^updateEndpoints: 1 problem: /);
  expect(error.details).toContain(sentence);
  expect(channel.endpoints().map(({ address }) => address)).toEqual(["127.0.0.1:10"]);
});

it("names every bad endpoint at once", () => {
  const error = configErrorOf(() => channel.updateEndpoints(["a:0", "b", "c:1", "c:1"]));

  expect(problemCount(error)).toBe(3);
});

it("refuses new endpoints for a stub that has no pool, and says how to get one", () => {
  const [flavour] = flavours as [(typeof flavours)[number]];
  const stub = harden(new flavour.Client("127.0.0.1:9", grpc.credentials.createInsecure()));

  const error = configErrorOf(() => stub.getChannel().updateEndpoints(["127.0.0.1:10"]));
  stub.close();

  expect(error.reason).toBe("CONFIG_INVALID");
  expect(error.details).toContain("no pool; give tls, credentials, or insecure: true");
});
