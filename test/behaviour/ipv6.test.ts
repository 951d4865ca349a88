import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { Forwarder } from "../support/forwarder.js";
import { ending, Stage } from "../support/stage.js";

const stage = new Stage();
const hasIPv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === "::1"),
);
const skipped = hasIPv6 ? "" : " (skipped: this machine has no ::1)";

describe.skipIf(!hasIPv6)(`an IPv6 endpoint${skipped}`, () => {
  it("is reached by every way to write it", async () => {
    const server = await stage.server();
    const { port } = server;
    stage.use(await Forwarder.start(port, { host: "::1", port }));
    const targets = [
      `static:///[::1]:${port}`,
      `ipv6:[::1]:${port}`,
      `[::1]:${port}`,
      `dns:///[0:0:0:0:0:0:0:1]:${port}`,
    ];

    const results = [];
    for (const target of targets) results.push(await unary(stage.harden(target).client, "x"));

    expect(results.map(ending)).toEqual(["OK", "OK", "OK", "OK"]);
  });

  it("is mixed with IPv4 where a name has both, and one broken family costs no call", async () => {
    const server = await stage.server();
    const lookup = async (): Promise<string[]> => ["::1", "127.0.0.1"];
    const { client, events } = stage.harden(`dns:///users.internal:${server.port}`, {}, { lookup });

    const result = await unary(client, "x");

    expect(ending(result)).toBe("OK");
    expect(events.picks).toEqual([`127.0.0.1:${server.port}`]);
  });
});
