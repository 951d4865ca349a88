import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerUnaryCall } from "@grpc/grpc-js";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Clock, systemClock, type Timer } from "../../src/core/index.js";
import { type CountingServer, unary } from "../support/counting-server.js";
import { ending, Stage } from "../support/stage.js";
import { tempFolder } from "../support/temp-folder.js";
import { TestAuthority, type TestCertificate } from "../support/tls-certs.js";
import { tlsServerCredentials } from "../support/tls-server.js";

const stage = new Stage();
/** Like no other delay, so that the watch can be told from other timers. */
const RELOAD_MS = 777;

/** The machine's clock, except that the timers of the watch fire when the test says so. */
class WatchClock implements Clock {
  readonly now = systemClock.now;
  readonly epoch = systemClock.epoch;
  #pending: (() => void) | null = null;
  #onSet: () => void = () => {};

  setTimer(callback: () => void, delayMs: number, options = {}): Timer {
    if (delayMs !== RELOAD_MS) return systemClock.setTimer(callback, delayMs, options);
    this.#pending = callback;
    this.#onSet();
    return {
      cancel: () => {
        if (this.#pending === callback) this.#pending = null;
      },
    };
  }

  get isWatching(): boolean {
    return this.#pending !== null;
  }

  /** Lets the watch look at its files twice: what is new must be the same both times. */
  async look(): Promise<void> {
    for (let time = 0; time < 2; time++) {
      const isSetAgain = new Promise<void>((resolve) => {
        this.#onSet = resolve;
      });
      this.#pending?.();
      await isSetAgain;
    }
  }
}

/** A client whose files may change, and a server that says whose certificate it saw. */
async function scene() {
  const authority = await TestAuthority.create();
  const server = await stage.server({
    credentials: tlsServerCredentials(await authority.server(), { asks: true }),
    handler: (call, callback) => callback(null, Buffer.from(clientOf(call))),
  });
  const folder = tempFolder();
  const write = ({ cert, key }: Partial<TestCertificate>): void => {
    if (cert !== undefined) writeFileSync(join(folder, "cert.pem"), cert);
    if (key !== undefined) writeFileSync(join(folder, "key.pem"), key);
  };
  write(authority.freshClient("first"));
  const clock = new WatchClock();
  const hardened = stage.harden(
    [server],
    {
      tls: {
        ca: authority.ca,
        certFile: join(folder, "cert.pem"),
        keyFile: join(folder, "key.pem"),
        reloadMs: RELOAD_MS,
      },
      waitForReady: true,
      reconnectBackoff: { initialMs: 1 },
    },
    { clock },
  );
  return { ...hardened, authority, server, clock, write };
}

function clientOf(call: ServerUnaryCall<Buffer, Buffer>): string {
  const { sslPeerCertificate } = call.getAuthContext() as {
    sslPeerCertificate?: { subject: { CN: string } };
  };
  return sslPeerCertificate?.subject.CN ?? "nobody";
}

/** Cuts the connection, and calls over the next one. */
async function nextConnection(server: CountingServer, client: Parameters<typeof unary>[0]) {
  await server.restart();
  return unary(client, "x");
}

describe("a renewed client certificate", () => {
  it("is what the next connection goes by, without a new channel", async () => {
    const { client, server, authority, clock, write } = await scene();
    const before = await unary(client, "x");

    write(authority.freshClient("second"));
    await clock.look();

    expect(before).toEqual({ ok: true, text: "first" });
    expect(await nextConnection(server, client)).toEqual({ ok: true, text: "second" });
  });

  it("replaces the connection in use, and a call that runs on the old one ends as if nothing were", async () => {
    const { client, server, authority, clock, write } = await scene();
    let answer: () => void = () => {};
    const echo = server.unary;
    server.unary = (call, callback) => {
      answer = () => echo(call, callback);
    };
    const running = unary(client, "x");
    await server.received();
    server.unary = echo;

    write(authority.freshClient("second"));
    await clock.look();
    const results = [];
    do results.push(await unary(client, "x"));
    while (server.peers.size === 1);
    answer();

    expect(await running).toEqual({ ok: true, text: "first" });
    expect(results.every(({ ok }) => ok)).toBe(true);
    expect(await unary(client, "x")).toEqual({ ok: true, text: "second" });
    expect(server.peers.size).toBe(2);
  });

  it("that is no good is left, with a warning, and calls go on with the old one", async () => {
    const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => emitWarning.mockRestore());
    const { client, server, authority, clock, write, channel } = await scene();

    write({ key: authority.freshClient("second").key });
    await clock.look();
    const next = await nextConnection(server, client);

    expect(next).toEqual({ ok: true, text: "first" });
    expect(emitWarning.mock.calls).toContainEqual([
      `${channel.getTarget()}: tls.keyFile: is not the private key of certFile; what was read before stays in use`,
      { type: "HoldfastWarning", code: "HOLDFAST_TLS_REJECTED" },
    ]);
  });

  it("is looked for no longer when the channel is closed or destroyed", async () => {
    const [closed, destroyed] = [await scene(), await scene()];
    expect([closed.clock.isWatching, destroyed.clock.isWatching]).toEqual([true, true]);

    await closed.channel.close();
    destroyed.channel.destroy();

    expect([closed.clock.isWatching, destroyed.clock.isWatching]).toEqual([false, false]);
    expect(ending(await unary(closed.client, "x"))).toMatch(/CLIENT_CLOSED/);
  });
});
