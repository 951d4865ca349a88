import { EventEmitter, once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { leakBaseline, listenerCounts } from "./leak-check.js";
import { EchoServer, PlainClient } from "./plain-tcp.js";

describe("a leak check", () => {
  const cleanups: (() => unknown)[] = [];

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup();
  });

  it("is content when everything that was opened is closed, also a little later", async () => {
    const baseline = await leakBaseline();
    const echo = await EchoServer.start();
    const client = await PlainClient.connect(echo.port);

    client.socket.destroy();
    setTimeout(() => void echo.close(), 20);

    await baseline.expectClean();
  });

  it("names a forgotten socket with its ports, and a forgotten server", async () => {
    const baseline = await leakBaseline();
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const socket = net.connect(port, "127.0.0.1");
    cleanups.push(
      () => socket.destroy(),
      () => server.close(),
    );
    const [accepted] = (await once(server, "connection")) as [net.Socket];
    cleanups.push(() => accepted.destroy());

    const check = baseline.expectClean(20);

    await expect(check).rejects.toThrow(/left behind: 2 TCPSocketWrap, 1 TCPServerWrap/);
    await expect(check).rejects.toThrow(`-> ${port}`);
  });

  it("names a forgotten timer or interval and where it was set", async () => {
    const baseline = await leakBaseline();
    const timer = setTimeout(() => {}, 60_000);
    const interval = setInterval(() => {}, 60_000);
    cleanups.push(
      () => clearTimeout(timer),
      () => clearInterval(interval),
    );

    await expect(baseline.expectClean(20)).rejects.toThrow(/(1 Timeout set at .*leak-check.test.ts.*){2}/);
  });

  it("does not mind timers that fired, were cleared, or do not keep the process alive", async () => {
    const baseline = await leakBaseline();
    await new Promise((resolve) => setTimeout(resolve, 1));
    clearTimeout(setTimeout(() => {}, 60_000));
    const housekeeping = setTimeout(() => {}, 60_000).unref();
    cleanups.push(() => clearTimeout(housekeeping));

    await baseline.expectClean();
  });

  it("names a forgotten listener, on an emitter or an abort signal", async () => {
    const emitter = new EventEmitter();
    const { signal } = new AbortController();
    const baseline = await leakBaseline({ emitter, signal });

    emitter.on("change", () => {});
    signal.addEventListener("abort", () => {});

    await expect(baseline.expectClean(20)).rejects.toThrow(
      'left behind: 1 "change" listener on emitter, 1 "abort" listener on signal',
    );
  });

  it("counts the listeners of an emitter per event", () => {
    const emitter = new EventEmitter().on("a", () => {}).on("a", () => {});

    expect(listenerCounts(emitter)).toEqual({ a: 2 });
  });
});
