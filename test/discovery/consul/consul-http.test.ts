import { getEventListeners } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { createRequire } from "node:module";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { ConsulHttp, type ConsulRequestOptions } from "../../../src/discovery/consul/consul-http.js";
import { type ConsulOptions, consulOptionsSchema } from "../../../src/discovery/consul/consul-options.js";
import { turns, until } from "../../support/event-loop.js";
import { FakeConsul } from "../../support/fake-consul.js";
import type { ConsulFault } from "../../support/fake-consul-faults.js";
import { ManualClock } from "../../support/manual-clock.js";
import { tempFolder } from "../../support/temp-folder.js";
import { testAuthority } from "../../support/tls-certs.js";

const TIMEOUT_MS = 5_000;

function httpTo(
  port: number,
  options: ConsulOptions = {},
  env: Record<string, string> = {},
  host = "127.0.0.1",
) {
  const clock = new ManualClock();
  const target = { agent: { host, port }, namespace: null, partition: null };
  const http = new ConsulHttp(target, consulOptionsSchema.parse(options), { clock, env });
  const ask = (given: Partial<ConsulRequestOptions> = {}) =>
    http.request((consul, common) => consul.health.service({ ...common, service: "web" }), {
      timeoutMs: TIMEOUT_MS,
      ...given,
    });
  return { clock, http, ask };
}

async function fakeHttp(options: ConsulOptions = {}, env: Record<string, string> = {}) {
  const fake = await FakeConsul.start(new ManualClock());
  return { fake, ...httpTo(fake.port, options, env) };
}

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

describe("ConsulHttp", () => {
  it("loads the package at the first request, not before", async () => {
    const { fake, ask } = await fakeHttp();
    const isLoaded = () =>
      Object.keys(createRequire(import.meta.url).cache).some((path) => /node_modules.consul.lib/.test(path));
    const before = isLoaded();

    fake.set("web", []);
    await ask();

    expect([before, isLoaded()]).toEqual([false, true]);
  });

  it("gives status, headers and body of an answer", async () => {
    const { fake, ask } = await fakeHttp();

    const reply = await ask();

    expect(reply).toMatchObject({
      place: `http://127.0.0.1:${fake.port}`,
      status: 200,
      headers: { "x-consul-index": "10" },
      body: [],
      said: "",
    });
  });

  it("gives an error's answer, too, with its text in one short line", async () => {
    const { fake, ask } = await fakeHttp();
    const text = `rpc error:\n${"long ".repeat(100)}`;
    fake.failNext({ kind: "status", status: 500, text, headers: { "retry-after": "3" } });

    const reply = await ask();

    expect(reply).toMatchObject({ status: 500, headers: { "retry-after": "3" } });
    expect(reply.said).toBe(`rpc error: ${"long ".repeat(100)}`.slice(0, 200));
  });

  it("puts fields over the JSON that the package sends, for those that it drops", async () => {
    let body = "";
    const server = createServer((request, response) => {
      request.on("data", (part) => {
        body += part;
      });
      request.on("end", () => response.end());
    });
    const { http } = httpTo(await portOf(server));

    await http.request(
      (consul, common) => consul.agent.service.register({ ...common, name: "web", port: 80 }),
      {
        timeoutMs: TIMEOUT_MS,
        body: { Weights: { Passing: 4, Warning: 1 } },
      },
    );

    expect(JSON.parse(body)).toEqual({ Name: "web", Port: 80, Weights: { Passing: 4, Warning: 1 } });
  });

  it("leaves no connection behind an answer", async () => {
    const { fake, clock, ask } = await fakeHttp();

    await ask();
    await fake.deserted();

    expect(clock.pendingTimers).toBe(0);
  });

  it("keeps no process alive by a question that nobody awaits", async () => {
    const { fake, ask } = await fakeHttp();
    fake.failAlways({ kind: "silence" });
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;
    await turns(10);
    const before = sockets();

    const awaited = ask({ isAwaited: true }).catch(() => {});
    await fake.asked(1);
    const ofAwaited = sockets() - before;
    const other = ask({ isAwaited: false }).catch(() => {});
    await fake.asked(2);
    const ofBoth = sockets() - before;
    fake.dropConnections();
    await Promise.all([awaited, other]);

    // Each has the server's end in this process as well.
    expect([ofAwaited, ofBoth]).toEqual([2, 3]);
  });
});

describe("ConsulHttp: requests that end early", () => {
  const SILENT: ConsulFault = { kind: "silence" };

  it.each([SILENT, { kind: "slowDrip" } as const])(
    "gives up in time and closes the connection: %j",
    async (fault) => {
      const { fake, clock, ask } = await fakeHttp();
      fake.failAlways(fault);

      const failure = ask().catch((error: Error) => error.message);
      await fake.asked(1);
      await clock.advance(TIMEOUT_MS);

      expect(await failure).toBe("Consul gave no whole answer within 5000 ms");
      await fake.deserted();
    },
  );

  it("closes the connection at once when it is cancelled, and leaves no timer", async () => {
    const { fake, clock, ask } = await fakeHttp();
    const abort = new AbortController();
    fake.failAlways(SILENT);

    const failure = ask({ signal: abort.signal }).catch((error: Error) => error.message);
    await fake.asked(1);
    abort.abort();
    const timers = clock.pendingTimers;

    expect(timers).toBe(0);
    expect(await failure).toBe("the request to Consul was cancelled");
    await fake.deserted();
  });

  it("hears a signal that many requests share no longer than it lasts", async () => {
    const { ask } = await fakeHttp();
    const { signal } = new AbortController();

    await ask({ signal });

    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("sends nothing when it was cancelled before", async () => {
    const { fake, ask } = await fakeHttp();

    const failure = await ask({ signal: AbortSignal.abort() }).catch((error: Error) => error.message);

    expect(failure).toBe("the request to Consul was cancelled");
    expect(fake.requests).toEqual([]);
  });

  it("says where it could not connect", async () => {
    const server = createServer();
    const port = await portOf(server);
    await new Promise((resolve) => server.close(resolve));

    await expect(httpTo(port).ask()).rejects.toThrow(
      `the request to Consul at http://127.0.0.1:${port} failed: connect ECONNREFUSED 127.0.0.1:${port}`,
    );
  });

  it("says that an answer was cut short, of which the package never hears", async () => {
    const { fake, ask } = await fakeHttp();
    fake.failNext({ kind: "halfBody" });

    await expect(ask()).rejects.toThrow("closed the connection before its answer was whole");
  });
});

describe("ConsulHttp: the size of an answer", () => {
  it("is limited, so that a body without end takes nothing with it", async () => {
    const chunk = Buffer.alloc(1_048_576, " ");
    let sent = 0;
    const server = createServer((_request, response) => {
      const send = () => {
        sent += chunk.length;
        if (!response.destroyed) response.write(chunk, send);
      };
      send();
    });
    const { clock, ask } = httpTo(await portOf(server));

    await expect(ask()).rejects.toThrow("gave an answer of more than 33554432 bytes");

    expect(sent).toBeGreaterThan(33_554_432);
    expect(clock.pendingTimers).toBe(0);
  });

  it("may be 20 MB", async () => {
    const body = JSON.stringify([" ".repeat(20_000_000)]);
    const server = createServer((_request, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end(body),
    );

    const reply = await httpTo(await portOf(server)).ask();

    expect(reply.body).toEqual([" ".repeat(20_000_000)]);
  });
});

describe("ConsulHttp: the token", () => {
  it("is sent and told to nobody else, whatever goes wrong", async () => {
    const token = "5ecret/t0ken";
    const { fake, ask, clock } = await fakeHttp({ token });
    const echo = {
      kind: "status",
      status: 403,
      text: `no such token ${token} ${encodeURIComponent(token)}`,
    } as const;
    fake.failNext(
      echo,
      { kind: "reset" },
      { kind: "halfBody" },
      { kind: "body", body: token },
      { kind: "silence" },
    );

    const refused = await ask();
    const failures = [];
    for (let question = 2; question <= 5; question++) {
      const failure = ask().catch((error: Error) => error);
      await until(() => fake.requests.length === question, "the question");
      if (question === 5) await clock.advance(TIMEOUT_MS);
      failures.push(await failure);
    }

    expect(fake.requests.map((request) => request.token)).toEqual(Array(5).fill(token));
    expect(refused.said).toBe("no such token (token) (token)");
    expect(failures.every((failure) => failure instanceof Error)).toBe(true);
    expect(inspect([refused.said, failures], { depth: 20, showHidden: true })).not.toContain(token);
  });

  it("that cannot stand in a header is refused without being told", async () => {
    const { ask } = await fakeHttp({ token: "5ecret\nt0ken" });

    const failure = await ask().catch((error: Error) => inspect(error, { depth: 20 }));

    expect(failure).toContain("x-consul-token");
    expect(failure).not.toContain("5ecret");
  });
});

describe("ConsulHttp: TLS", () => {
  async function tlsConsul(asksForClient = false, names = ["DNS:consul.internal"]) {
    const authority = await testAuthority();
    const { ca, cert, key } = await authority.server(names);
    const server = createTlsServer({
      ca,
      cert,
      key,
      requestCert: asksForClient,
      rejectUnauthorized: asksForClient,
    });
    server.on("request", (_request, response) =>
      response.writeHead(200, { "content-type": "application/json" }).end("[]"),
    );
    const folder = tempFolder();
    const put = (name: string, pem: Buffer) => {
      writeFileSync(join(folder, name), pem);
      return join(folder, name);
    };
    const client = await authority.client();
    return {
      port: await portOf(server),
      caFile: put("ca.pem", ca),
      certFile: put("cert.pem", client.cert),
      keyFile: put("key.pem", client.key),
    };
  }

  it("trusts the authority of the options, by the name that they say", async () => {
    const { port, caFile } = await tlsConsul();

    const { ask } = httpTo(port, { tls: { caFile, serverName: "consul.internal" } });

    expect((await ask()).status).toBe(200);
  });

  it("refuses a certificate for another name", async () => {
    const { port, caFile } = await tlsConsul();

    await expect(httpTo(port, { tls: { caFile } }).ask()).rejects.toThrow(
      "IP: 127.0.0.1 is not in the cert's list",
    );
  });

  it("refuses a certificate without the name that the options say, though it carries the host's", async () => {
    const { port, caFile } = await tlsConsul(false, ["IP:127.0.0.1"]);
    const tls = { caFile, serverName: "consul.internal" };

    await expect(httpTo(port, { tls }).ask()).rejects.toThrow("consul.internal");
  });

  it("refuses an authority that it does not know", async () => {
    const { port } = await tlsConsul();

    await expect(httpTo(port, { tls: { serverName: "consul.internal" } }).ask()).rejects.toThrow(
      `the request to Consul at https://127.0.0.1:${port} failed: `,
    );
  });

  it("says of a port in plaintext that it is one, in one line and without OpenSSL's own words", async () => {
    const port = await portOf(createServer((_request, response) => response.end("[]")));

    const failure = await httpTo(port, { tls: {} })
      .ask()
      .catch((error: Error) => error.message);

    expect(failure).toBe(
      `the request to Consul at https://127.0.0.1:${port} failed: it does not speak TLS on this port; take its HTTPS port, or for plaintext leave out discovery.consul.tls, CONSUL_HTTP_SSL and the https:// of CONSUL_HTTP_ADDR`,
    );
  });

  it("tells any other failure of the handshake in one line", async () => {
    // An alert of TLS: handshake_failure.
    const server = createTcpServer((socket) => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 40])));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());

    const failure = await httpTo((server.address() as AddressInfo).port, { tls: {} })
      .ask()
      .catch((error: Error) => error.message);

    expect(failure).toContain("handshake failure");
    expect(failure).not.toMatch(/[\r\n]|\s$/);
  });

  it("shows a certificate of its own where Consul asks for one", async () => {
    const { port, caFile, certFile, keyFile } = await tlsConsul(true);
    const tls = { caFile, serverName: "consul.internal" };

    const shown = await httpTo(port, { tls: { ...tls, certFile, keyFile } }).ask();
    const without = httpTo(port, { tls }).ask();

    expect(shown.status).toBe(200);
    await expect(without).rejects.toThrow("failed: ");
  });
});
