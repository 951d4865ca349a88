import { describe, expect, it } from "vitest";
import { ClientSockets } from "../support/client-sockets.js";
import { unary } from "../support/counting-server.js";
import { turns } from "../support/event-loop.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();

/** A look-up that is answered by hand. */
function slowLookup() {
  const waiting: ((hosts: readonly string[]) => void)[] = [];
  let asked = (): void => {};
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const lookup = (): Promise<readonly string[]> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      asked();
    });
  return { lookup, isAsked, answer: (host: string) => waiting.shift()?.([host]) };
}

describe("a channel that ends while a name is looked up", () => {
  for (const scheme of ["dns:///", "static:///"]) {
    it(`opens no socket when the answer comes later (${scheme})`, async () => {
      const server = await stage.server();
      const names = slowLookup();
      const sockets = stage.use(new ClientSockets());
      const target = `${scheme}users.internal:${server.port}`;
      const { client, channel } = stage.harden(target, {}, { lookup: names.lookup });
      const calls = [unary(client, "a"), unary(client, "b")];
      await names.isAsked;

      channel.destroy();
      names.answer("127.0.0.1");
      await turns(10);

      expect(endings(await Promise.all(calls))).toEqual({ "CANCELLED CLIENT_CLOSED no": 2 });
      expect(sockets.all).toEqual([]);
    });
  }
});

describe("a channel that drains while it still connects", () => {
  it("serves the calls that were queued before close()", async () => {
    const server = await stage.server();
    const names = slowLookup();
    const target = `dns:///users.internal:${server.port}`;
    const { client, channel } = stage.harden(target, {}, { lookup: names.lookup });
    const calls = [unary(client, "a"), unary(client, "b")];
    await names.isAsked;

    const closed = channel.close();
    names.answer("127.0.0.1");
    await closed;

    expect(endings(await Promise.all(calls))).toEqual({ OK: 2 });
  });

  it("serves them also when the first dial fails meanwhile", async () => {
    const proxied = await stage.proxied();
    await proxied.proxy.refuse();
    const { client, channel, events } = stage.harden([proxied], {
      waitForReady: true,
      reconnectBackoff: { initialMs: 20, maxMs: 20 },
    });
    const call = unary(client, "a");
    await events.first("endpoint.state", { to: "TRANSIENT_FAILURE" });

    const closed = channel.close();
    await proxied.proxy.pass();
    await closed;

    expect(ending(await call)).toBe("OK");
  });
});
