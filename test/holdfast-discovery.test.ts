import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { discoveryInFolder } from "../src/config/discovery-files.js";
import { Holdfast } from "../src/holdfast.js";
import { ConfigFolder } from "./config/config-folder.js";
import { configErrorOf } from "./support/config-error.js";

function errorOf(channel: object): Error {
  return configErrorOf(() =>
    Holdfast.fromObject({ channels: { users: { insecure: true, ...channel } } } as object),
  );
}

describe("several targets in a configuration (D39)", () => {
  it("become one channel that goes by all of them", async () => {
    const holdfast = Holdfast.fromObject({
      channels: { users: { target: ["dns:///users:50051", "static:///10.0.0.1:50051"], insecure: true } },
    });

    expect(holdfast.channel("users").getTarget()).toBe("dns:///users:50051, static:///10.0.0.1:50051");

    await holdfast.close();
  });

  it("are servers of a Clerk, too", async () => {
    const holdfast = Holdfast.fromObject({
      clerks: { kv: { target: ["dns:///kv:50051", "static:///10.0.0.1:50051"], insecure: true } },
    });

    expect(() => holdfast.clerk("kv")).not.toThrow();

    await holdfast.close();
  });

  it("are all checked, and each problem names its place", () => {
    const { message } = errorOf({ target: ["static:///a", "static:///b:1", "static:///B:1", "nope:///x"] });

    expect(message).toContain("3 problems");
    expect(message).toContain('target 1 of the list: the address "a" has no port');
    expect(message).toContain("target 3 of the list: static:///b:1 is there twice");
    expect(message).toContain('target 4 of the list: the target "nope:///x" has the unknown scheme "nope"');
  });

  it.each<[string, object, string]>([
    ["no target at all", { target: [] }, "the list of targets is empty"],
    ["a number among them", { target: ["a:1", 5] }, "channels.users.target"],
    ["a passthrough beside another", { target: ["passthrough:///x", "a:1"] }, "passthrough: stands alone"],
  ])("are refused with %s", (_, channel, problem) => {
    expect(errorOf(channel).message).toContain(problem);
  });
});

describe("files that discovery names", () => {
  let folder: ConfigFolder;
  beforeEach(() => {
    folder = new ConfigFolder();
  });
  afterEach(() => folder.remove());

  it("begin at the folder of the configuration", () => {
    const written = {
      target: "consul:///users",
      discovery: {
        consul: { tokenFile: "token", waitMs: 5_000, tls: { caFile: "ca.pem", serverName: "consul" } },
        etcd: { passwordFile: "/run/password" },
      },
      channel: { discovery: { etcd: { tls: { keyFile: "k", certFile: "c" } } } },
    };

    const whole = discoveryInFolder(written, (path) =>
      path.startsWith("/") ? path : join("/etc/app", path),
    );

    expect(whole).toEqual({
      target: "consul:///users",
      discovery: {
        consul: {
          tokenFile: "/etc/app/token",
          waitMs: 5_000,
          tls: { caFile: "/etc/app/ca.pem", serverName: "consul" },
        },
        etcd: { passwordFile: "/run/password" },
      },
      channel: { discovery: { etcd: { tls: { keyFile: "/etc/app/k", certFile: "/etc/app/c" } } } },
    });
  });

  it("are read when the configuration is, so that a missing certificate is told at the start", async () => {
    const file = folder.write("holdfast.json", {
      channels: {
        users: { target: "a:1", insecure: true, discovery: { consul: { tls: { caFile: "missing.pem" } } } },
      },
      clerks: {
        kv: {
          target: "a:1",
          insecure: true,
          channel: { discovery: { etcd: { tls: { caFile: "absent.pem" } } } },
        },
      },
      raftPeers: {
        kv: {
          addresses: ["a:1"],
          insecure: true,
          channel: { discovery: { etcd: { tls: { caFile: "gone.pem" } } } },
        },
      },
    });

    const { message } = await Holdfast.fromFile(file).then(
      () => new Error("it was taken"),
      (error: Error) => error,
    );

    expect(message).toContain("channels.users.discovery.consul.tls.caFile");
    expect(message).toContain(join(folder.path, "missing.pem"));
    expect(message).toContain("clerks.kv.channel.discovery.etcd.tls.caFile");
    expect(message).toContain("raftPeers.kv.channel.discovery.etcd.tls.caFile");
  });
});
