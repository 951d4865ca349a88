import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { etcdOptionsSchema } from "../../../src/discovery/etcd/etcd-options.js";
import { tempFolder } from "../../support/temp-folder.js";
import type { FakeEtcd } from "./fake-etcd.js";
import { goValue, startedEtcdResolver } from "./started-etcd-resolver.js";

const LOGIN = { etcd: { username: "holdfast", password: "s3cret" } };
const TWO = "10.0.0.2:50051";

function protect(etcd: FakeEtcd): void {
  etcd.password = "s3cret";
}

/** Methods and the tokens that they carried. */
function tokens(etcd: FakeEtcd): string[] {
  return etcd.metadata.map(({ method, token }) => `${method} ${token ?? "without"}`);
}

describe("etcd's own authentication", () => {
  it("is logged in to before the first question, and its token goes with every call", async () => {
    const { etcd, listener } = await startedEtcdResolver(LOGIN, protect);

    expect(etcd.asked[0]).toBe("Authenticate holdfast s3cret");
    expect(tokens(etcd)).toEqual(["Authenticate without", "Range token-1", "Watch token-1"]);
    expect(listener.errors).toEqual([]);
  });

  it("is logged in to again when the token is refused, and the question repeated at once", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver(LOGIN, protect);
    etcd.token = "token-2";

    etcd.breakStreams(null);
    etcd.compact();
    etcd.change({ "users/2": goValue(TWO) });
    etcd.compact();
    await clock.advance(1_000);

    expect(tokens(etcd).slice(3)).toEqual([
      "Watch token-1",
      "Range token-1",
      "Authenticate without",
      "Range token-2",
      "Watch token-2",
    ]);
    expect(listener.sets.at(-1)).toHaveLength(2);
    expect(listener.errors).toHaveLength(1);
  });

  it("is logged in to again after etcd has cancelled a watch, which may be all it says of an old token", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver(LOGIN, protect);

    etcd.tell({ canceled: true, cancelReason: "etcdserver: permission denied" });
    await clock.advance(1_000);

    expect(listener.messages).toEqual(['etcd ended the watch of "users/": etcdserver: permission denied']);
    expect(tokens(etcd).slice(3)).toEqual(["Authenticate without", "Watch token-1"]);
  });

  it("is not asked a second time in a row for a token that is refused at once", async () => {
    const { etcd, listener } = await startedEtcdResolver(LOGIN, (fake) => {
      fake.password = "s3cret";
      Object.defineProperty(fake, "token", { get: () => Math.random().toString() });
    });

    expect(etcd.asked).toEqual(["Authenticate holdfast s3cret", "Range users/ (2000)"]);
    expect(listener.messages).toEqual([expect.stringContaining("invalid auth token")]);
  });

  it("fails with a sentence that does not tell the password", async () => {
    const { etcd, listener } = await startedEtcdResolver(
      { etcd: { username: "holdfast", password: "wr0ng" } },
      protect,
    );

    expect(etcd.asked).toEqual(["Authenticate holdfast wr0ng"]);
    expect(listener.messages).toEqual([
      "reading the keys of etcd://127.0.0.1:2379/users failed: logging in to etcd as holdfast failed: " +
        "3: etcdserver: authentication failed, invalid user ID or password",
    ]);
  });

  it("may be turned off: then nobody needs a token", async () => {
    const { etcd, listener } = await startedEtcdResolver(LOGIN);

    expect(tokens(etcd).filter((said) => !said.startsWith("Auth"))).toEqual([
      "Range without",
      "Watch without",
    ]);
    expect(listener.sets).toHaveLength(1);
  });

  it("takes the password from a file, which it reads again for the next token", async () => {
    const passwordFile = join(tempFolder(), "password");
    writeFileSync(passwordFile, "old\n");
    const { clock, etcd, listener } = await startedEtcdResolver(
      { etcd: { username: "holdfast", passwordFile } },
      (fake) => {
        fake.password = "old";
      },
    );
    await expect.poll(() => etcd.streams).toBe(1);
    expect(listener.sets).toHaveLength(1);

    writeFileSync(passwordFile, "new");
    etcd.password = "new";
    etcd.tell({ canceled: true, cancelReason: "etcdserver: invalid auth token" });
    await clock.advance(1_000);
    await expect.poll(() => tokens(etcd).filter((said) => said.startsWith("Watch"))).toHaveLength(2);

    expect(etcd.asked.filter((asked) => asked.startsWith("Auth"))).toEqual([
      "Authenticate holdfast old",
      "Authenticate holdfast new",
    ]);
  });

  it("says which option names a file that cannot be read", async () => {
    const { listener } = await startedEtcdResolver({
      etcd: { username: "holdfast", passwordFile: "/nowhere/at/all" },
    });
    await expect.poll(() => listener.messages).toHaveLength(1);

    expect(listener.messages[0]).toContain("(discovery.etcd.passwordFile) failed: ENOENT");
  });
});

describe("the options of etcd's authentication", () => {
  it.each([
    [{ username: "u" }, "password", "missing; username needs it, or passwordFile"],
    [{ password: "s3cret" }, "username", "missing; password needs it"],
    [{ passwordFile: "p" }, "username", "missing; passwordFile needs it"],
    [
      { username: "u", password: "s3cret", passwordFile: "p" },
      "passwordFile",
      "set beside password; give one of them",
    ],
    [{ username: "" }, "username", "Too small"],
  ])("%j are refused at %s", (options, key, message) => {
    const { error } = etcdOptionsSchema.safeParse(options);

    const issues = error?.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`) ?? [];
    expect(issues.some((issue) => issue.startsWith(`${key}: ${message}`))).toBe(true);
    expect(issues.join()).not.toContain("s3cret");
  });

  it.each([{}, { username: "u", password: "p" }, { username: "u", passwordFile: "p" }])(
    "%j are taken",
    (options) => {
      expect(etcdOptionsSchema.safeParse(options).success).toBe(true);
    },
  );
});
