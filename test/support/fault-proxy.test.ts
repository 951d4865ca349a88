import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { turns } from "./event-loop.js";
import { EchoServer } from "./plain-tcp.js";
import { ProxiedEcho } from "./proxied-echo.js";

const fixture = new ProxiedEcho();

describe("a fault proxy without a fault", () => {
  it("passes bytes both ways and counts them", async () => {
    const client = await fixture.warm();

    expect(client.text).toBe("warm");
    expect(fixture.proxy).toMatchObject({ connections: 1, open: 1, bytesFromClient: 4, bytesFromServer: 4 });
  });

  it("passes an orderly end on to the server and back", async () => {
    const client = await fixture.warm();

    client.socket.end();

    expect(await client.ended).toBe("fin");
    await fixture.proxy.allClosed();
    await fixture.echo.closed(1);
    expect(fixture.proxy.open).toBe(0);
  });

  it("passes 8 MiB through unharmed although the reader is slower than the writer", async () => {
    const client = await fixture.connect();
    const block = Buffer.alloc(8 * 1024 * 1024, "0123456789");

    client.socket.write(block);
    await client.received(block.length);

    expect(client.text === block.toString("latin1")).toBe(true);
  });

  it("passes a reset on, in both directions", async () => {
    const first = await fixture.warm();
    fixture.echo.resetAll();
    expect(await first.ended).toBe("ECONNRESET");

    const second = await fixture.warm();
    second.socket.resetAndDestroy();
    await fixture.echo.closed(2);
    expect(fixture.echo.lastError).toBe("ECONNRESET");
  });

  it("resets the client when nobody listens behind it", async () => {
    await fixture.echo.close();

    const client = fixture.dial();

    expect(await client.ended).toBe("ECONNRESET");
    fixture.echo = await EchoServer.start();
  });

  it("ends a wait that can no longer come true when it closes", async () => {
    const wait = fixture.proxy.connected(3);

    await fixture.proxy.close();

    await expect(wait).rejects.toThrow("waited for 3 proxied connections, but it closed after 0");
  });
});

describe("a fault proxy whose server is down", () => {
  it("refuses connects, keeps open connections, and listens on the same port again", async () => {
    const port = fixture.proxy.port;
    const early = await fixture.warm();

    await fixture.proxy.refuse();
    expect(await fixture.dial().ended).toBe("ECONNREFUSED");
    early.say("more");
    await early.received(8);

    await fixture.proxy.pass();
    const late = await fixture.warm();
    expect([late.text, fixture.proxy.port]).toEqual(["warm", port]);
  });

  it("flaps between refusing with resets and passing", async () => {
    const client = await fixture.warm();

    fixture.proxy.flap(20);

    expect(await client.ended).toBe("ECONNRESET");
    const seen = new Set<string>();
    for (let last = ""; seen.size < 2; seen.add(last)) last = await outcomeOfDial();
    expect([...seen].sort()).toEqual(["ECONNREFUSED", "connected"]);
    await fixture.proxy.flapped(3);
  });

  it("stops flapping for another fault, and when it closes", async () => {
    fixture.proxy.flap(1);
    await fixture.proxy.pass();
    await fixture.warm();

    fixture.proxy.flap(1);
    await fixture.proxy.flapped(4);
    await fixture.proxy.close();
    expect(await fixture.dial().ended).toBe("ECONNREFUSED");
  });

  async function outcomeOfDial(): Promise<string> {
    const client = fixture.dial();
    const connected = once(client.socket, "connect").then(
      () => "connected",
      () => client.ended,
    );
    const outcome = await connected;
    await client.close();
    return outcome;
  }
});

describe("a fault proxy whose network is silent", () => {
  it("accepts new connections and never forwards a byte of them", async () => {
    const early = await fixture.warm();

    await fixture.proxy.acceptThenSilence();
    const late = await fixture.connect();
    late.say("anyone?");
    await fixture.proxy.clientBytes(11);
    early.say("still me");
    await early.received(12);

    expect([fixture.echo.acceptedCount, fixture.echo.text, late.text]).toEqual([1, "warmstill me", ""]);
  });

  it("drops every byte of open and new connections, and resets them when it heals", async () => {
    const early = await fixture.warm();

    await fixture.proxy.blackHole();
    early.say("lost");
    const late = await fixture.connect();
    late.say("lost");
    await fixture.proxy.clientBytes(12);
    expect([fixture.echo.text, fixture.proxy.open]).toEqual(["warm", 2]);

    await fixture.proxy.pass();
    expect(await Promise.all([early.ended, late.ended])).toEqual(["ECONNRESET", "ECONNRESET"]);
    expect((await fixture.warm()).text).toBe("warm");
  });

  it("hides the client's end from the server while packets are dropped", async () => {
    const [leaver, breaker] = [await fixture.warm(), await fixture.warm()];

    await fixture.proxy.blackHole();
    leaver.socket.destroy();
    breaker.socket.resetAndDestroy();
    await fixture.proxy.allClosed();
    await turns(5);

    expect([fixture.proxy.open, fixture.echo.openCount]).toEqual([0, 2]);
  });

  it("hides the server's end from the client while packets are dropped", async () => {
    const client = await fixture.warm();

    await fixture.proxy.blackHole();
    fixture.echo.resetAll();
    await fixture.echo.closed(1);
    await turns(5);

    expect([fixture.proxy.open, client.socket.destroyed]).toEqual([1, false]);
  });

  it("drops the packets of open connections only, when a firewall forgot them", async () => {
    const forgotten = await fixture.warm();

    fixture.proxy.blackHoleOpen();
    forgotten.say("lost");
    const fresh = await fixture.warm();

    expect([forgotten.text, fresh.text, fixture.echo.text]).toEqual(["warm", "warm", "warmwarm"]);
  });

  it("lets requests arrive while it loses the answers", async () => {
    const early = await fixture.warm();

    await fixture.proxy.dropAnswers();
    early.say("one");
    const late = await fixture.connect();
    late.say("two");
    await fixture.echo.received(10);
    await fixture.proxy.serverBytes(10);

    expect([early.text, late.text, fixture.proxy.open]).toEqual(["warm", "", 2]);
    await fixture.proxy.pass();
    expect(await Promise.all([early.ended, late.ended])).toEqual(["ECONNRESET", "ECONNRESET"]);
  });
});

describe("a fault proxy that cuts open connections", () => {
  it("resets all of them on both sides", async () => {
    const client = await fixture.warm();

    fixture.proxy.resetAll();

    expect(await client.ended).toBe("ECONNRESET");
    await fixture.echo.closed(1);
    await fixture.proxy.allClosed();
  });

  it("ends all of them in order", async () => {
    const client = await fixture.warm();

    fixture.proxy.closeAll();

    expect(await client.ended).toBe("fin");
    await fixture.echo.closed(1);
    await fixture.proxy.allClosed();
  });

  it("half-closes towards the client, whose last words still reach the server", async () => {
    const client = await fixture.warm({ allowHalfOpen: true });

    fixture.proxy.halfClose();
    await once(client.socket, "end");
    client.say("last words");
    await fixture.echo.received(14);

    expect([fixture.echo.text, client.text, fixture.echo.openCount]).toEqual(["warmlast words", "warm", 1]);
  });
});
