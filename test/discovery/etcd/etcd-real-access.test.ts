import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { until } from "../../support/event-loop.js";
import { tempFolder } from "../../support/temp-folder.js";
import { TestAuthority } from "../../support/tls-certs.js";
import { following, keeping, seen, watching } from "./real-discovery.js";
import { ask, base64, mustSkip, put, singleEtcd, whySkipped } from "./real-etcd.js";
import { goValue } from "./started-etcd-resolver.js";

const LIMIT_MS = 60_000;
const ROOT = { name: "root", password: "r00t" };

/** An etcd whose users are checked: `root`, and `reader`, who may read what is under `users/` and nothing else. */
async function protectedEtcd() {
  const etcd = await singleEtcd();
  const { address } = etcd;
  const permission = { permType: "READ", key: base64("users/"), range_end: base64("users0") };
  await ask(address, "auth/user/add", ROOT);
  await ask(address, "auth/user/grant", { user: "root", role: "root" });
  await ask(address, "auth/user/add", { name: "reader", password: "r3ad" });
  await ask(address, "auth/role/add", { name: "users" });
  await ask(address, "auth/role/grant", { name: "users", perm: permission });
  await ask(address, "auth/user/grant", { user: "reader", role: "users" });
  await put(address, "users/1", goValue("10.0.0.1:50051"));
  await ask(address, "auth/enable", {});
  const rootToken = async () => (await ask(address, "auth/authenticate", ROOT)).token!;
  return { ...etcd, rootToken, target: `etcd://${address}/users` };
}

const READER = { etcd: { username: "reader", password: "r3ad" } };

describe.skipIf(mustSkip)(`an etcd that checks its users${whySkipped}`, { timeout: LIMIT_MS }, () => {
  it("is read by a user with a password, over a restart that makes all tokens void", async () => {
    const etcd = await protectedEtcd();
    const { listener, resolver } = await watching(etcd.target, READER);

    await put(etcd.address, "users/2", goValue("10.0.0.2:50051"), await etcd.rootToken());
    await seen(listener, ["10.0.0.1:50051", "10.0.0.2:50051"]);
    await etcd.server.kill();
    await until(() => resolver.isWatching === false, "the loss");
    await etcd.start();
    await put(etcd.address, "users/3", goValue("10.0.0.3:50051"), await etcd.rootToken());
    await seen(listener, ["10.0.0.1:50051", "10.0.0.2:50051", "10.0.0.3:50051"]);

    expect(listener.sets.map((set) => set.length).slice(0, 2)).toEqual([1, 2]);
  });

  it("says why it answers nobody but those whom it knows, and does not tell their passwords", async () => {
    const etcd = await protectedEtcd();
    const options = [{}, { username: "reader", password: "wr0ng" }, { username: "who", password: "wr0ng" }];

    const listeners = options.map((login) => following(etcd.target, { etcd: login }).listener);
    await until(() => listeners.every(({ errors }) => errors.length > 0), "three errors");

    expect(listeners.flatMap(({ sets }) => sets)).toEqual([]);
    expect(listeners.map(({ messages }) => messages[0])).toEqual([
      expect.stringContaining("user name is empty"),
      expect.stringContaining("logging in to etcd as reader failed"),
      expect.stringContaining("logging in to etcd as who failed"),
    ]);
    expect(listeners.flatMap(({ messages }) => messages).join()).not.toContain("wr0ng");
  });

  it("says so where a user may not read the prefix, or not write it", async () => {
    const etcd = await protectedEtcd();

    const { listener } = following(`etcd://${etcd.address}/shop`, READER);
    const { registration } = keeping(etcd.target, "10.0.0.5:50051", 2_000, READER);
    const refusal = await registration.start();
    await until(() => listener.errors.length > 0, "an error");

    expect(listener.messages[0]).toContain("etcdserver: permission denied");
    expect(refusal?.message).toContain("etcdserver: permission denied");
  });

  it("lets a user with the right to write register a service", async () => {
    const etcd = await protectedEtcd();
    const { listener } = await watching(etcd.target, READER);
    const { registration } = keeping(etcd.target, "10.0.0.5:50051", 2_000, {
      etcd: { username: ROOT.name, password: ROOT.password },
    });

    expect(await registration.start()).toBeNull();
    await seen(listener, ["10.0.0.1:50051", "10.0.0.5:50051"]);
    await registration.close();
    await seen(listener, ["10.0.0.1:50051"]);

    expect(listener.addresses).toHaveLength(3);
  });
});

describe.skipIf(mustSkip)(`an etcd behind TLS${whySkipped}`, { timeout: LIMIT_MS }, () => {
  async function secureEtcd() {
    const folder = tempFolder();
    const authority = await TestAuthority.create();
    const stranger = await TestAuthority.create();
    const { cert, key, ca } = await authority.server();
    const client = await authority.client();
    const file = (name: string, pem: Buffer): string => {
      writeFileSync(join(folder, name), pem);
      return join(folder, name);
    };
    const caFile = file("ca.pem", ca);
    const etcd = await singleEtcd([
      `--cert-file=${file("cert.pem", cert)}`,
      `--key-file=${file("key.pem", key)}`,
      `--trusted-ca-file=${caFile}`,
      "--client-cert-auth",
    ]);
    const own = { certFile: file("client.pem", client.cert), keyFile: file("client-key.pem", client.key) };
    const tls = { caFile, ...own };
    return {
      target: `etcd://${etcd.address}/users`,
      tls,
      own,
      strangerFile: file("stranger.pem", stranger.ca),
    };
  }

  it("is written and read with a certificate of one's own", async () => {
    const { target, tls } = await secureEtcd();
    const { listener } = await watching(target, { etcd: { tls } });
    const { registration } = keeping(target, "10.0.0.5:50051", 2_000, { etcd: { tls } });

    expect(await registration.start()).toBeNull();
    await seen(listener, ["10.0.0.5:50051"]);

    expect(listener.addresses).toEqual([[], ["10.0.0.5:50051"]]);
  });

  it("is not believed when another authority vouches for it", async () => {
    const { target, own, strangerFile } = await secureEtcd();

    const { listener } = following(target, { etcd: { tls: { ...own, caFile: strangerFile } } });
    await until(() => listener.errors.length > 0, "an error");

    expect(listener.messages[0]).toContain(`reading the keys of ${target} failed`);
    expect(listener.sets).toEqual([]);
  });
});
