import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ServerCredentials } from "@grpc/grpc-js";
import { harden } from "holdfast";
import { describe, expect, it, vi } from "vitest";
import { ThrottleRegistry } from "../../src/retry/index.js";
import { configErrorOf } from "../support/config-error.js";
import { counterClient, unary } from "../support/counting-server.js";
import { ManualClock } from "../support/manual-clock.js";
import { ending, Stage } from "../support/stage.js";
import { tempFolder } from "../support/temp-folder.js";
import { testAuthority } from "../support/tls-certs.js";

const stage = new Stage();

describe("options beside a target that is passed through", () => {
  it("are refused where they would do nothing, together with every other problem", () => {
    const error = configErrorOf(() =>
      stage.harden("passthrough:///users", { loadBalancing: "random", poolSize: 2, timeoutMs: -1 }),
    );

    expect(error.message).toContain("3 problems");
    expect(error.message).toContain(
      "loadBalancing needs a pool, and passthrough:///users has none, as grpc-js chooses its servers",
    );
    expect(error.message).toContain("poolSize needs a pool");
  });

  it("are refused below a stub as well", () => {
    const stub = stage.use(counterClient("localhost:1"));
    const options = { target: "passthrough:///users", insecure: true, discovery: {} };

    expect(configErrorOf(() => harden(stub, options)).message).toContain("discovery needs a pool");
  });

  it("that leave no channel leave nothing else", () => {
    const throttles = new ThrottleRegistry();
    const release = vi.spyOn(throttles, "release");

    configErrorOf(() => stage.harden("passthrough:///zk:///users", {}, { throttles }));

    expect(release).toHaveBeenCalledTimes(1);
  });
});

describe("tls beside a target that is passed through", () => {
  it("names whom the certificate must be for", async () => {
    const { ca, cert, key } = await (await testAuthority()).server(["DNS:users.internal"]);
    const pair = [{ cert_chain: cert, private_key: key }];
    const server = await stage.server({ credentials: ServerCredentials.createSsl(null, pair) });
    const tls = { ca, serverName: "users.internal" };

    const { client } = stage.harden(`passthrough:///ipv4:${server.address}`, { tls });

    expect(ending(await unary(client, "x"))).toBe("OK");
  });

  it("has its files watched until the channel is closed", async () => {
    const { ca } = await (await testAuthority()).server(["DNS:users.internal"]);
    const caFile = join(tempFolder(), "ca.pem");
    writeFileSync(caFile, ca);
    const clock = new ManualClock();

    const { channel } = stage.harden("passthrough:///users", { tls: { caFile } }, { clock });
    const watching = clock.pendingTimers;
    await channel.close();

    expect([watching, clock.pendingTimers]).toEqual([1, 0]);
  });
});
