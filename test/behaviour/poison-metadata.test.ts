import { Metadata } from "@grpc/grpc-js";
import type { FailureReport } from "holdfast";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { failureOf, Stage } from "../support/stage.js";

const stage = new Stage();

function metadataOf(...entries: [string, string][]): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of entries) metadata.add(name, value);
  return metadata;
}

/** Metadata that grpc-js accepts and HTTP/2 does not, as when headers of a web request are passed on unread. */
describe("metadata that HTTP/2 refuses", () => {
  it.each([
    ["a forwarded connection header", metadataOf(["connection", "keep-alive"])],
    ["two authorization values", metadataOf(["authorization", "a"], ["authorization", "b"])],
    ["a te other than trailers", metadataOf(["te", "gzip"])],
  ])("ends the call that has %s, and no connection", async (_, metadata) => {
    const server = await stage.server();
    const { client, channel, events } = await stage.warm([server]);

    const error = failureOf(await unary(client, "poison", { metadata })) as unknown as FailureReport;

    expect(error).toMatchObject({ code: 13, reason: "METADATA_INVALID", processed: "no", origin: "local" });
    expect(await unary(client, "fine")).toEqual({ ok: true, text: "fine" });
    expect(events.of("connection.lost")).toEqual([]);
    expect(channel.stats().calls.transparentRetries).toBe(0);
  });

  it("goes out where HTTP/2 allows it", async () => {
    const server = await stage.server();
    const { client } = await stage.warm([server]);
    const metadata = metadataOf(["authorization", "Bearer x"], ["x-tag", "1"], ["x-tag", "2"]);

    const result = await unary(client, "x", { metadata });

    expect(result).toEqual({ ok: true, text: "x" });
    expect(server.calls.at(-1)?.metadata.get("x-tag").join()).toContain("1");
  });
});
