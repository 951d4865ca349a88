import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { ConsulProxy } from "./consul-proxy.js";
import { until } from "./event-loop.js";

/** A proxy before something that answers so. */
async function before(answer: RequestListener): Promise<ConsulProxy> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await ConsulProxy.start(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    await proxy.close();
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  });
  return proxy;
}

const get = (proxy: ConsulProxy, path: string, init?: RequestInit): Promise<Response> =>
  fetch(`http://${proxy.address}${path}`, { ...init, keepalive: false });

it("passes answers on as they are, and writes down whom they name", async () => {
  const entries = [{ Service: { Address: "10.0.0.1", Port: 5_001 } }];
  const proxy = await before((_question, answer) => {
    answer.setHeader("x-consul-index", "17").end(JSON.stringify(entries));
  });

  const answer = await get(proxy, "/v1/health/service/kv?passing=true");

  expect(answer.headers.get("x-consul-index")).toBe("17");
  expect(await answer.json()).toEqual(entries);
  expect(proxy.questions).toMatchObject([
    { path: "/v1/health/service/kv?passing=true", status: 200, index: 17, addresses: ["10.0.0.1:5001"] },
  ]);
  expect(proxy.firstWith("10.0.0.1:5001", 0)).toBe(proxy.questions[0]?.answeredAt);
  expect(proxy.firstWithout("10.0.0.1:5001", 0)).toBeNull();
});

it("counts questions that nobody answers, and gives up those that nobody asks any more", async () => {
  let open = 0;
  const proxy = await before((_question, answer) => {
    open++;
    answer.on("close", () => open--);
  });
  const asker = new AbortController();
  const asked = get(proxy, "/v1/health/service/kv", { signal: asker.signal }).catch(() => null);
  await until(() => open === 1, "the question");

  asker.abort();
  await asked;
  await until(() => open === 0, "the end of the question");

  expect(proxy.unansweredSince(0)).toBe(1);
});

it("resets connections while nobody listens behind it", async () => {
  const deaf = await ConsulProxy.start("127.0.0.1:1");
  onTestFinished(() => deaf.close());

  await expect(get(deaf, "/v1/health/service/kv")).rejects.toThrow();

  expect(deaf.questions).toMatchObject([{ status: null, answeredAt: null }]);
});
