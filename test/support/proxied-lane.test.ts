import { describe, expect, it } from "vitest";
import { turns } from "./event-loop.js";
import { leakBaseline } from "./leak-check.js";
import { ProxiedEcho } from "./proxied-echo.js";

const fixture = new ProxiedEcho();

describe("a fault proxy that cuts new connections at a byte", () => {
  it.each([0, 1, 5])("resets after exactly %i bytes of the request", async (bytes) => {
    await fixture.proxy.resetAfterClientBytes(bytes);

    const client = await fixture.connect();
    client.say("request");

    expect(await client.ended).toBe("ECONNRESET");
    await fixture.echo.closed(1);
    expect(fixture.echo.text).toBe("request".slice(0, bytes));
  });

  it.each([0, 1, 5])("resets after exactly %i bytes of the answer", async (bytes) => {
    await fixture.proxy.resetAfterServerBytes(bytes);

    const client = await fixture.connect();
    client.say("request");

    expect([await client.ended, client.text]).toEqual(["ECONNRESET", "request".slice(0, bytes)]);
  });

  it("leaves connections that were open before alone", async () => {
    const client = await fixture.warm();

    await fixture.proxy.resetAfterClientBytes(0);
    client.say("more");
    await client.received(8);

    expect(client.text).toBe("warmmore");
  });

  it("stalls a request after exactly so many bytes and lets it go on when it heals", async () => {
    await fixture.proxy.stallAfterClientBytes(3);
    const client = await fixture.connect();
    client.say("request");
    await client.received(3);
    await fixture.proxy.clientBytes(7);
    expect(fixture.echo.text).toBe("req");

    await fixture.proxy.pass();
    await client.received(7);
    expect(client.text).toBe("request");
  });

  it("stalls an answer after exactly so many bytes", async () => {
    await fixture.proxy.stallAfterServerBytes(3);
    const client = await fixture.connect();

    client.say("request");
    await fixture.proxy.serverBytes(7);
    await client.received(3);

    expect([client.text, fixture.echo.text]).toEqual(["req", "request"]);
  });

  it("backs a large request up into the client's socket while it stalls", async () => {
    await fixture.proxy.stallAfterClientBytes(10);
    const client = await fixture.connect();
    const tooMuchForTheKernel = Buffer.alloc(64 * 1024 * 1024);

    client.socket.write(tooMuchForTheKernel);
    await fixture.echo.received(10);
    await turns(200);

    expect(client.socket.writableNeedDrain).toBe(true);
    expect(fixture.proxy.bytesFromClient).toBeLessThan(tooMuchForTheKernel.length);
  });

  it("notices that the client gave up on a stalled request", async () => {
    await fixture.proxy.stallAfterClientBytes(0);
    const client = await fixture.connect();
    client.say("request");
    await fixture.proxy.clientBytes(7);

    client.socket.destroy();
    await fixture.proxy.allClosed();

    expect(fixture.proxy.open).toBe(0);
  });
});

describe("a fault proxy on a long path", () => {
  it("delays bytes each way and keeps their order when the path gets shorter", async () => {
    const client = await fixture.warm();
    const startedAt = performance.now();

    fixture.proxy.delayMs(30);
    client.say("slow ");
    await fixture.proxy.clientBytes(9);
    fixture.proxy.delayMs(0);
    client.say("fast");
    await client.received(13);

    expect(client.text).toBe("warmslow fast");
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(29);
  });

  it("leaves no timer behind when it closes with bytes under way", async () => {
    const client = await fixture.warm();
    const beforeTheDelay = await leakBaseline();

    fixture.proxy.delayMs(60_000);
    client.say("never arrives");
    await fixture.proxy.clientBytes(17);
    await fixture.proxy.close();

    await beforeTheDelay.expectClean(100);
  });
});
