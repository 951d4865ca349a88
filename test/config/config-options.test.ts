import { expect, it } from "vitest";
import { configSchema } from "../../src/config/config-options.js";

it("gives every option of every section its default", () => {
  const insecure = true;

  const resolved = configSchema(() => []).parse({
    channels: { users: { target: "a:1", insecure } },
    clerks: { kv: { servers: ["a:1"], insecure } },
    raftPeers: { kv: { addresses: ["a:1"], insecure } },
  });

  expect(resolved).toMatchSnapshot();
});

it("needs no section", () => {
  expect(configSchema(() => []).parse({})).toEqual({ channels: {}, clerks: {}, raftPeers: {} });
});
