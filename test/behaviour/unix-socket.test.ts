import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { Forwarder } from "../support/forwarder.js";
import { ending, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();

async function socketPath(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-unix-"));
  stage.use({ close: () => rm(folder, { recursive: true }) });
  return join(folder, "server.sock");
}

describe("a unix socket target", () => {
  it("carries calls, and is dialled again after a loss", async () => {
    const path = await socketPath();
    const server = await stage.server();
    const first = stage.use(await Forwarder.start(server.port, { path }));
    const { client, events } = stage.harden(`unix:${path}`, {
      reconnectBackoff: { initialMs: 10, maxMs: 10 },
    });
    const results = [await unary(client, "before")];

    await first.close();
    await events.first("connection.lost");
    stage.use(await Forwarder.start(server.port, { path }));
    await events.nth(2, "endpoint.state", { to: "READY" });
    results.push(await unary(client, "after"));

    expect(results.map(ending)).toEqual(["OK", "OK"]);
    expect(new Set(events.picks)).toEqual(new Set([`unix:${path}`]));
  });

  it("that is not there fails the dial by its name", async () => {
    const path = await socketPath();
    const { client } = stage.harden(`unix://${path}`, { retry: { maxAttempts: 1 } });

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toContain("ENOENT");
    expect(error.details).toContain(path);
  });
});
