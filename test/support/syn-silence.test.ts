import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";
import { EchoServer, PlainClient } from "./plain-tcp.js";
import { canDropSyn, SynSilence } from "./syn-silence.js";

const possible = canDropSyn();
if (!possible.ok) console.warn(`syn-silence is not tested: ${possible.reason}`);

describe.skipIf(!possible.ok)("a port whose SYNs are dropped", () => {
  let baseline: LeakBaseline;
  let echo: EchoServer;
  let silence: SynSilence;

  beforeEach(async () => {
    baseline = await leakBaseline({ process });
    echo = await EchoServer.start();
  });

  afterEach(async () => {
    silence.close();
    await echo.close();
    await baseline.expectClean();
  });

  it("leaves a connect hanging although a server listens, and heals", async () => {
    silence = SynSilence.start(echo.port);
    const stuck = new PlainClient(echo.port);
    await silence.dropped();
    expect([stuck.socket.connecting, echo.acceptedCount]).toEqual([true, 0]);
    await stuck.close();

    silence.close();
    const fresh = await PlainClient.connect(echo.port);
    await fresh.close();
  });

  it("leaves connections that stand already, and other ports, alone", async () => {
    const other = await EchoServer.start();
    const early = await PlainClient.connect(echo.port);

    silence = SynSilence.start(echo.port);
    early.say("still here");
    await early.received(10);
    const elsewhere = await PlainClient.connect(other.port);

    expect(early.text).toBe("still here");
    await Promise.all([early.close(), elsewhere.close(), other.close()]);
  });
});
