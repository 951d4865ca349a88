import { mkdtemp, rm } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { grpcLinks } from "../../src/raft-peer/grpc-link.js";
import { hang, unavailable } from "../support/counting-server.js";
import { turns } from "../support/event-loop.js";
import { Forwarder } from "../support/forwarder.js";
import { Stage } from "../support/stage.js";
import { ask, linkTo, services, Unary } from "./link-calls.js";

const stage = new Stage();
const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);

describe("a call over gRPC", () => {
  it("brings the answer and how long it took", async () => {
    const server = await stage.server();
    const link = linkTo(stage, server.address);

    const result = await ask(link, { request: Buffer.from("hello") }).result;

    expect(result).toEqual({ ok: true, response: Buffer.from("hello"), ms: expect.any(Number) });
    expect(result.ms).toBeGreaterThan(0);
    expect(link.channel.known.kindOf(Unary.path)).toEqual({
      requestStream: false,
      responseStream: false,
    });
  });

  it("is one of many on the same connection", async () => {
    const server = await stage.server();
    const link = linkTo(stage, server.address);

    const results = await Promise.all(Array.from({ length: 200 }, () => ask(link).result));

    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(server.peers.size).toBe(1);
  });

  it.skipIf(!hasIPv6)("reaches an IPv6 address", async () => {
    const { port } = await stage.server();
    stage.use(await Forwarder.start(port, { host: "::1", port }));

    const result = await ask(linkTo(stage, `[::1]:${port}`)).result;

    expect(result).toMatchObject({ ok: true, response: Buffer.from("x") });
  });

  it.each(["unix:", "unix://"])("reaches a socket path after %s, also with a comma in it", async (prefix) => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-link-"));
    stage.use({ close: () => rm(folder, { recursive: true }) });
    const path = join(folder, "a,b.sock");
    const { port } = await stage.server();
    stage.use(await Forwarder.start(port, { path }));

    const result = await ask(linkTo(stage, `${prefix}${path}`)).result;

    expect(result).toMatchObject({ ok: true, response: Buffer.from("x") });
  });

  it("is never made twice below the caller, whatever the channel's retry options", async () => {
    const server = await stage.server({ handler: unavailable() });
    const link = linkTo(stage, server.address, {
      methods: { "holdfast.test.Counter": { idempotent: true } },
    });

    const result = await ask(link).result;

    expect(result).toMatchObject({ ok: false, kind: "rejected", code: status.UNAVAILABLE });
    expect(server.executions.Unary).toBe(1);
  });
});

describe("the time of a call", () => {
  it("counts from each call, however often the same timeout was used", async () => {
    const server = await stage.server({ handler: hang() });
    const link = linkTo(stage, server.address);

    const times: number[] = [];
    for (let call = 0; call < 3; call++) times.push((await ask(link, { timeoutMs: 40 }).result).ms);

    expect(Math.min(...times)).toBeGreaterThan(35);
    expect(Math.max(...times)).toBeLessThan(1_000);
  });

  it.each([0, -5, 0.3])("of %s ms ends as a timeout, not as an error of the caller", async (timeoutMs) => {
    const server = await stage.server({ handler: hang() });

    const result = await ask(linkTo(stage, server.address), { timeoutMs }).result;

    expect(result).toMatchObject({ kind: "timeout", code: status.DEADLINE_EXCEEDED });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])(
    "of %s is invalid, and says what is allowed",
    async (timeoutMs) => {
      const server = await stage.server();

      const result = await ask(linkTo(stage, server.address), { timeoutMs }).result;

      expect(result).toMatchObject({ kind: "invalid", details: expect.stringContaining("timeoutMs is") });
    },
  );
});

describe("ending a call", () => {
  it("by cancelling it is closed, and the server hears of it", async () => {
    const server = await stage.raw(() => {});
    const { result, cancel } = ask(linkTo(stage, server.address));
    const { stream } = await server.request();
    const aborted = new Promise((resolve) => stream.on("aborted", resolve));

    cancel();

    expect(await result).toMatchObject({
      kind: "closed",
      code: status.CANCELLED,
      reason: "CANCELLED",
      processed: "maybe",
    });
    await aborted;
  });

  it("by cancelling it at once never sends it", async () => {
    const server = await stage.server();
    const { result, cancel } = ask(linkTo(stage, server.address));

    cancel();

    expect(await result).toMatchObject({ kind: "closed", processed: "no" });
    expect(server.executions.Unary).toBe(0);
  });

  it("by cancelling it after its end, or twice, changes nothing", async () => {
    const server = await stage.server();
    const { result, cancel } = ask(linkTo(stage, server.address));
    expect(await result).toMatchObject({ ok: true });

    cancel();
    cancel();
    await turns(5);

    expect(await ask(linkTo(stage, server.address)).result).toMatchObject({ ok: true });
  });

  it("by closing the link ends every call with closed, and later ones are closed too", async () => {
    const server = await stage.server({ handler: hang() });
    const link = linkTo(stage, server.address);
    const running = [ask(link).result, ask(link).result];
    await server.received(2);

    await link.close();
    await link.close();

    expect(await Promise.all(running)).toMatchObject([
      { kind: "closed", reason: "CLIENT_CLOSED", processed: "maybe" },
      { kind: "closed", reason: "CLIENT_CLOSED", processed: "maybe" },
    ]);
    expect(await ask(link).result).toMatchObject({
      kind: "closed",
      code: status.CANCELLED,
      reason: "CLIENT_CLOSED",
      processed: "no",
    });
  });

  it("by closing the link while it dials leaves no socket", async () => {
    const { proxy, address } = await stage.proxied();
    await proxy.acceptThenSilence();
    const link = linkTo(stage, address);
    const { result } = ask(link);
    await proxy.connected();

    await link.close();

    expect(await result).toMatchObject({ kind: "closed", processed: "no" });
  });
});

it("refuses bad channel options before anything is dialled", () => {
  expect(() => grpcLinks({})("127.0.0.1:1", services)).toThrow(/credentials is missing/);
});
