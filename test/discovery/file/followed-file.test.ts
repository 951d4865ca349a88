import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { unary } from "../../support/counting-server.js";
import { ending, Stage } from "../../support/stage.js";
import { tempFolder } from "../../support/temp-folder.js";

const stage = new Stage();
const QUICK = { discovery: { filePollMs: 10 } };

/** Another file, renamed into the place of the one before. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

describe("a channel to a file of endpoints", () => {
  it("follows the file that is renamed into place, and drains what it does not name any more", async () => {
    const [first, second] = [await stage.server(), await stage.server()];
    const path = join(tempFolder(), "users.yaml");
    writeFileSync(path, `- ${first.address}\n`);
    const { client, channel, events } = stage.harden(`file://${path}`, QUICK);
    await unary(client, "before");

    replace(path, `endpoints:\n  - address: ${second.address}\n    weight: 2\n`);
    const change = await events.nth(2, "resolver.endpoints");
    const result = await unary(client, "after");

    expect(change).toMatchObject({ added: [second.address], removed: [first.address], total: 1 });
    expect([ending(result), second.executions.Unary]).toEqual(["OK", 1]);
    expect(channel.endpoints()).toMatchObject([{ address: second.address, weight: 2 }]);
  });

  it("goes on with the last good endpoints while the file is gone, wrong or made anew", async () => {
    const server = await stage.server();
    const path = join(tempFolder(), "users.json");
    writeFileSync(path, `["${server.address}"]`);
    const { client, channel, events } = stage.harden(`file://${path}`, QUICK);
    const results = [await unary(client, "before")];

    rmSync(path);
    const gone = await events.nth(1, "resolver.failed");
    results.push(await unary(client, "gone"));
    writeFileSync(path, `["${server.address}"`);
    const wrong = await events.nth(2, "resolver.failed");
    results.push(await unary(client, "wrong"));
    const [stale] = channel.stats().discovery;
    writeFileSync(path, `["${server.address}", "127.0.0.1:1"]`);
    await events.nth(2, "resolver.endpoints");

    expect(results.map(ending)).toEqual(["OK", "OK", "OK"]);
    expect([gone.error, gone.keptEndpoints]).toEqual([`the file ${path} cannot be read: it is not there`, 1]);
    expect(wrong.error).toContain(`the file ${path} is wrong: it is no JSON`);
    expect(stale).toMatchObject({ endpoints: 1, failures: 2, staleSince: expect.any(String) });
    expect(channel.stats().discovery).toMatchObject([{ endpoints: 2, staleSince: null }]);
  });

  it("follows the link of a ConfigMap when it leads to another folder", async () => {
    const [first, second] = [await stage.server(), await stage.server()];
    const folder = tempFolder();
    for (const [version, { address }] of Object.entries({ v1: first, v2: second })) {
      mkdirSync(join(folder, version));
      writeFileSync(join(folder, version, "users.yaml"), `[${address}]`);
    }
    symlinkSync("v1", join(folder, "data"));
    const { client, events } = stage.harden(`file://${folder}/data/users.yaml`, QUICK);
    await unary(client, "before");

    symlinkSync("v2", join(folder, "fresh"));
    renameSync(join(folder, "fresh"), join(folder, "data"));
    await events.nth(2, "resolver.endpoints");

    expect(ending(await unary(client, "after"))).toBe("OK");
    expect(second.executions.Unary).toBe(1);
  });

  it("reads the file that is replaced without a pause", async () => {
    const server = await stage.server();
    const path = join(tempFolder(), "users.yaml");
    const text = `[${server.address}]`;
    replace(path, text);
    const { client, events } = stage.harden(`file://${path}`, { ...QUICK, waitForReady: true });
    const turns = setInterval(() => {
      for (let time = 0; time < 20; time++) replace(path, text);
    }, 1);

    const result = await unary(client, "restless").finally(() => clearInterval(turns));

    expect(ending(result)).toBe("OK");
    expect(events.count("resolver.failed")).toBe(0);
  });

  it("waits for a file that is not there yet, as long as the call has time", async () => {
    const server = await stage.server();
    const path = join(tempFolder(), "users.yaml");
    const { client, channel, events } = stage.harden(`file://${path}`, { ...QUICK, waitForReady: true });
    const call = unary(client, "early");
    await events.first("resolver.failed");

    replace(path, `[${server.address}]`);

    expect(ending(await call)).toBe("OK");
    expect(channel.stats().discovery).toMatchObject([{ failures: 1, staleSince: null }]);
  });
});
