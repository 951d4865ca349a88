import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { bareHost, consulAccess } from "../../../src/discovery/consul/consul-access.js";
import { type ConsulOptions, consulOptionsSchema } from "../../../src/discovery/consul/consul-options.js";
import { tempFolder } from "../../support/temp-folder.js";

type Env = Record<string, string | undefined>;

function access(options: ConsulOptions, env: Env, agent: { host: string; port: number } | null = null) {
  return consulAccess(agent, consulOptionsSchema.parse(options), env);
}

async function placeOf(env: Env, options: ConsulOptions = {}): Promise<string> {
  return (await access(options, env)).place;
}

function file(text: string): string {
  const path = join(tempFolder(), "file");
  writeFileSync(path, text);
  return path;
}

describe("consulAccess: where Consul is", () => {
  it.each([
    [{}, "http://127.0.0.1:8500"],
    [{ CONSUL_HTTP_ADDR: "" }, "http://127.0.0.1:8500"],
    [{ CONSUL_HTTP_ADDR: "consul:9" }, "http://consul:9"],
    [{ CONSUL_HTTP_ADDR: "http://consul:9" }, "http://consul:9"],
    [{ CONSUL_HTTP_ADDR: "HTTPS://consul:9/" }, "https://consul:9"],
    [
      { CONSUL_HTTP_ADDR: "https://consul.example.com/behind/proxy" },
      "https://consul.example.com/behind/proxy",
    ],
    [{ CONSUL_HTTP_ADDR: "[::1]:9" }, "http://[::1]:9"],
    [{ CONSUL_HTTP_SSL: "true" }, "https://127.0.0.1:8500"],
    [{ CONSUL_HTTP_SSL: "1", CONSUL_HTTP_ADDR: "http://consul:9" }, "https://consul:9"],
    [{ CONSUL_HTTP_SSL: "false" }, "http://127.0.0.1:8500"],
  ])("reads %j as Consul's own tools do", async (env, place) => {
    expect(await placeOf(env)).toBe(place);
  });

  it("is what the target says, whatever the environment says", async () => {
    const env = { CONSUL_HTTP_ADDR: "https://elsewhere:1" };

    const { place, baseUrl } = await access({}, env, { host: "::1", port: 9 });

    expect([place, baseUrl]).toEqual(["http://[::1]:9", "http://[::1]:9/v1"]);
  });

  it("is asked over TLS when the options say so", async () => {
    expect(await placeOf({}, { tls: {} })).toBe("https://127.0.0.1:8500");
  });

  it.each([
    ["unix:///var/run/consul.sock", "CONSUL_HTTP_ADDR names a Unix socket, which is not supported"],
    ["http://user:s3cret@consul:9", "CONSUL_HTTP_ADDR is no address; allowed: host:port"],
    ["ftp://consul:9", "CONSUL_HTTP_ADDR is no address"],
    ["consul:99999", "CONSUL_HTTP_ADDR is no address"],
    ["s3cret with blanks", "CONSUL_HTTP_ADDR is no address"],
  ])("refuses the address %s without telling it", async (CONSUL_HTTP_ADDR, message) => {
    const failure = await placeOf({ CONSUL_HTTP_ADDR }).catch((error: Error) => error.message);

    expect(failure).toContain(message);
    expect(failure).not.toContain("s3cret");
  });

  it("refuses a CONSUL_HTTP_SSL that is no truth value", async () => {
    await expect(placeOf({ CONSUL_HTTP_SSL: "ja" })).rejects.toThrow(
      'CONSUL_HTTP_SSL is "ja"; allowed: true, false',
    );
  });
});

describe("bareHost", () => {
  it.each([
    ["[::1]", "::1"],
    ["127.0.0.1", "127.0.0.1"],
    ["consul", "consul"],
    ["[consul]", "[consul]"],
  ])("gives Node's sockets %s as %s", (host, bare) => {
    expect(bareHost(host)).toBe(bare);
  });
});

describe("consulAccess: the token", () => {
  const tokenOf = async (options: ConsulOptions, env: Env = {}) => (await access(options, env)).token;

  it("is none by default", async () => {
    expect(await tokenOf({})).toBeNull();
  });

  it("comes from the options before the environment", async () => {
    expect(await tokenOf({ token: "a" }, { CONSUL_HTTP_TOKEN: "b" })).toBe("a");
  });

  it("comes from a file, without the line's end", async () => {
    expect(await tokenOf({ tokenFile: file("secret\n") }, { CONSUL_HTTP_TOKEN: "b" })).toBe("secret");
  });

  it("comes from the variable that the options name", async () => {
    expect(await tokenOf({ tokenEnv: "MINE" }, { MINE: "c", CONSUL_HTTP_TOKEN: "b" })).toBe("c");
  });

  it("comes from the environment, whose file comes before its text", async () => {
    expect(await tokenOf({}, { CONSUL_HTTP_TOKEN: "b" })).toBe("b");
    expect(await tokenOf({}, { CONSUL_HTTP_TOKEN: "b", CONSUL_HTTP_TOKEN_FILE: file("f") })).toBe("f");
  });

  it("is read from its file each time", async () => {
    const tokenFile = file("old");
    const before = await tokenOf({ tokenFile });

    writeFileSync(tokenFile, "new");

    expect([before, await tokenOf({ tokenFile })]).toEqual(["old", "new"]);
  });

  it("is missed where the options name a place without one", async () => {
    await expect(tokenOf({ tokenEnv: "MINE" })).rejects.toThrow(
      "the environment variable MINE (discovery.consul.tokenEnv) holds no token",
    );
    await expect(tokenOf({ tokenFile: "/nowhere/token" })).rejects.toThrow(
      "the file /nowhere/token (discovery.consul.tokenFile) cannot be read: ENOENT",
    );
    const empty = file(" \n");
    await expect(tokenOf({ tokenFile: empty })).rejects.toThrow(
      `the file ${empty} (discovery.consul.tokenFile) is empty; allowed: one token`,
    );
  });
});

describe("consulAccess: TLS", () => {
  it("takes certificates and key from their files", async () => {
    const tls = {
      caFile: file("CA"),
      certFile: file("CERT"),
      keyFile: file("KEY"),
      minVersion: "TLSv1.3",
    } as const;

    expect((await access({ tls }, {})).tls).toEqual({
      minVersion: "TLSv1.3",
      ca: Buffer.from("CA"),
      cert: Buffer.from("CERT"),
      key: Buffer.from("KEY"),
    });
  });

  it("takes what Consul's own variables name when the options say nothing of TLS", async () => {
    const env = {
      CONSUL_HTTP_SSL: "true",
      CONSUL_CACERT: file("CA"),
      CONSUL_CLIENT_CERT: file("CERT"),
      CONSUL_CLIENT_KEY: file("KEY"),
      CONSUL_TLS_SERVER_NAME: "consul.internal",
    };

    const [ofEnv, ofOptions] = await Promise.all([access({}, env), access({ tls: {} }, env)]);

    expect(ofEnv.tls).toMatchObject({
      ca: Buffer.from("CA"),
      cert: Buffer.from("CERT"),
      key: Buffer.from("KEY"),
      servername: "consul.internal",
    });
    expect(ofOptions.tls).toEqual({ minVersion: "TLSv1.2" });
  });

  it("says which file cannot be read", async () => {
    await expect(access({ tls: { caFile: "/nowhere/ca" } }, {})).rejects.toThrow(
      "the file /nowhere/ca (ca of Consul's TLS) cannot be read: ENOENT",
    );
  });
});
