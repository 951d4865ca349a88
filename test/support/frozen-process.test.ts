import { Metadata, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CounterClient, collect, counterClient, unary } from "./counter-service.js";
import { FrozenProcess } from "./frozen-process.js";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";

describe("a server process of its own", () => {
  let baseline: LeakBaseline;
  let child: FrozenProcess | undefined;
  let client: CounterClient | undefined;

  beforeEach(async () => {
    baseline = await leakBaseline({ process });
  });

  afterEach(async () => {
    client?.close();
    await child?.close();
    await baseline.expectClean();
  });

  it("answers, falls silent while frozen, and answers again when thawed", async () => {
    child = await FrozenProcess.start();
    client = counterClient(child.address);
    expect(await unary(client, "a")).toEqual({ ok: true, text: "a" });

    await child.freeze();
    const frozen = await unary(client, "b", { timeoutMs: 100 });
    expect(frozen).toMatchObject({ ok: false, error: { code: status.DEADLINE_EXCEEDED } });

    child.thaw();
    expect(await unary(client, "c")).toEqual({ ok: true, text: "c" });
  });

  it("speaks all four kinds", async () => {
    child = await FrozenProcess.start();
    client = counterClient(child.address);
    const bidi = client.bidi();
    bidi.end(Buffer.from("x"));
    const joined = new Promise((resolve) => {
      client?.clientStream((_error, answer) => resolve(String(answer))).end(Buffer.from("1"));
    });

    expect((await collect(client.serverStream(Buffer.from("a,b")))).texts).toEqual(["a", "b"]);
    expect((await collect(bidi)).texts).toEqual(["x"]);
    expect(await joined).toBe("1");
  });

  it("dies when killed, frozen or not, and can be started again on its port", async () => {
    child = await FrozenProcess.start();
    client = counterClient(child.address, { "grpc.initial_reconnect_backoff_ms": 100 });
    await unary(client, "a");
    await child.freeze();

    await child.kill();
    expect(child.isRunning).toBe(false);
    expect(await unary(client, "b")).toMatchObject({ ok: false, error: { code: status.UNAVAILABLE } });

    child = await FrozenProcess.start({ args: [String(child.port)] });
    expect(await unary(client, "c", { metadata: new Metadata({ waitForReady: true }) })).toEqual({
      ok: true,
      text: "c",
    });
  });

  it("ends by itself when its parent is gone", async () => {
    child = await FrozenProcess.start();

    await child.abandon();

    expect(child.isRunning).toBe(false);
  });

  it("runs a server given as text", async () => {
    const source = `
      import net from "node:net";
      const server = net.createServer().listen(0, "127.0.0.1", () => {
        console.log(JSON.stringify({ port: server.address().port }));
      });`;

    child = await FrozenProcess.start({ source });

    expect(child.port).toBeGreaterThan(0);
  });

  it("says why it did not start", async () => {
    const failing = FrozenProcess.start({ source: "throw new Error('no disk')" });

    await expect(failing).rejects.toThrow(/ended before it printed a port: .*no disk/s);
  });
});
