import { ServerCredentials } from "@grpc/grpc-js";
import { callOptions, isReason } from "holdfast";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Holdfast } from "../src/holdfast.js";
import { ConfigFolder } from "./config/config-folder.js";
import {
  CounterClient,
  CountingServer,
  type CountingServerOptions,
  unary,
} from "./support/counting-server.js";
import { type LeakBaseline, leakBaseline } from "./support/leak-check.js";
import { testAuthority } from "./support/tls-certs.js";

let baseline: LeakBaseline;
let folder: ConfigFolder;
let server: CountingServer;
let holdfast: Holdfast;
beforeEach(async () => {
  baseline = await leakBaseline();
  folder = new ConfigFolder();
});
afterEach(async () => {
  await holdfast.close({ drainMs: 0 });
  await server.close();
  folder.remove();
  await baseline.expectClean();
});

/** A Holdfast from a file whose channel `users` leads to a server. */
async function open(lines: string, options: CountingServerOptions = {}): Promise<CounterClient> {
  server = await CountingServer.start(options);
  const file = folder.write(
    "holdfast.yaml",
    `channels:\n  users:\n    target: static:///${server.address}\n${lines}`,
  );
  holdfast = await Holdfast.fromFile(file);
  return holdfast.stub("users", CounterClient);
}

/** A call with nothing of its own: what the file says holds. */
function plain(stub: CounterClient, options = callOptions({})): Promise<string> {
  return new Promise((resolve) => {
    stub.unary(Buffer.from("x"), options, (error, answer) =>
      resolve(error === null ? `${answer}` : `${error.details}`),
    );
  });
}

describe("a stub from a file", () => {
  it("reaches its server, over one channel for all stubs of a name", async () => {
    const stub = await open("    insecure: true\n");

    const results = [await unary(stub, "a"), await unary(holdfast.stub("users", CounterClient), "b")];

    expect(results).toEqual([
      { ok: true, text: "a" },
      { ok: true, text: "b" },
    ]);
    expect(server.peers.size).toBe(1);
  });

  it("retries as the file says", async () => {
    const stub = await open(
      "    insecure: true\n    retry: { maxAttempts: 2, backoff: { kind: immediate } }\n    methods: { holdfast.test.Counter/Unary: { idempotent: true } }\n",
    );
    server.script([
      (_call, callback) => callback({ code: 14, details: "not now" }),
      (_call, callback) => callback(null, Buffer.from("done")),
    ]);

    expect(await plain(stub)).toBe("done");
    expect(server.executions.Unary).toBe(2);
  });

  it("fails CLIENT_CLOSED once the Holdfast is closed", async () => {
    const stub = await open("    insecure: true\n");
    await unary(stub, "a");

    await holdfast.close();
    const result = await unary(stub, "b");

    expect(!result.ok && isReason(result.error, "CLIENT_CLOSED")).toBe(true);
  });

  it("keeps the file's options after 1,000 calls at once with options of their own", async () => {
    const stub = await open("    insecure: true\n    timeoutMs: 20000\n    maxStreamsPerConnection: 1000\n");
    const timeLeft = () => Number(server.calls.at(-1)!.deadline) - Date.now();
    await plain(stub);
    const before = timeLeft();

    const own = Array.from({ length: 1_000 }, (_, n) =>
      plain(
        stub,
        callOptions({ timeoutMs: 60_000 + n, idempotent: n % 2 === 0, retry: { maxAttempts: (n % 5) + 1 } }),
      ),
    );
    const answers = new Set(await Promise.all(own));
    const between = timeLeft();
    await plain(stub);

    expect([...answers]).toEqual(["x"]);
    expect(between).toBeGreaterThan(30_000);
    for (const left of [before, timeLeft()]) {
      expect(left).toBeGreaterThan(5_000);
      expect(left).toBeLessThanOrEqual(20_100);
    }
  });
});

describe("a server that asks for certificates", () => {
  async function secure(tls: string): Promise<CounterClient> {
    const authority = await testAuthority();
    const { ca, cert, key } = await authority.server(["IP:127.0.0.1"]);
    const client = await authority.client();
    folder.write("pki/ca.pem", ca);
    folder.write("pki/client.pem", client.cert);
    folder.write("pki/client.key", client.key);
    const credentials = ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true);
    return open(`    retry: false\n    timeoutMs: 3000\n    tls: ${tls}\n`, { credentials });
  }

  it("is reached with the ones that the file names, beginning at its folder", async () => {
    const stub = await secure("{ caFile: pki/ca.pem, certFile: pki/client.pem, keyFile: pki/client.key }");

    expect(await unary(stub, "a")).toEqual({ ok: true, text: "a" });
  });

  it("refuses a client whose file names none", async () => {
    const stub = await secure("{ caFile: pki/ca.pem }");

    expect(await unary(stub, "a", { timeoutMs: 1_000 })).toMatchObject({ ok: false });
    expect(server.executions.Unary).toBe(0);
  });
});
