import { once } from "node:events";
import type { ServerWritableStream } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { collect } from "../support/counting-server.js";
import { turns, until } from "../support/event-loop.js";
import { ending, Stage } from "../support/stage.js";

const stage = new Stage();
const CHUNK = Buffer.alloc(64 * 1024);
const MIB = 1024 * 1024;
const TOTAL = 16 * MIB;

/** As much as there is room for, until 16 MiB are out or the client is gone. */
function pour(call: ServerWritableStream<Buffer, Buffer>): void {
  let written = 0;
  const more = (): void => {
    while (written < TOTAL && !call.cancelled) {
      written += CHUNK.length;
      if (!call.write(CHUNK)) return void call.once("drain", more);
    }
    call.end();
  };
  more();
}

/** A server that pours, behind a proxy that counts what has left it. */
async function pouring() {
  const { server, proxy, address } = await stage.proxied();
  server.serverStream = pour;
  return { server, proxy, address };
}

describe("a client that stops reading its stream", () => {
  it("holds the server back instead of filling its own memory, and frees all when it cancels", async () => {
    const { server, proxy, address } = await pouring();
    const { client, channel } = await stage.warm([{ address }]);
    const stream = client.serverStream(Buffer.from("x"));
    const end = new Promise((resolve) => stream.on("status", resolve));
    stream.on("error", () => {});
    await once(stream, "readable");
    await settled(proxy);

    expect(proxy.bytesFromServer).toBeLessThan(4 * MIB);
    stream.cancel();
    await end;

    await until(() => server.calls[0]?.isCancelled === true, "the cancel at the server");
    expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
  });
});

describe("a client that never reads its stream at all", () => {
  it("frees what grpc-js took in for it when it cancels", async () => {
    const { server, proxy, address } = await pouring();
    const { client, channel } = await stage.warm([{ address }]);
    const stream = client.serverStream(Buffer.from("x"));
    const end = new Promise((resolve) => stream.on("status", resolve));
    stream.on("error", () => {});
    await settled(proxy);

    stream.cancel();
    await end;

    await until(() => server.calls[0]?.isCancelled !== false, "the end of the call at the server");
    expect(channel.stats()).toMatchObject({ callsInFlight: 0, retryBufferBytes: 0 });
  });

  it("does not keep others on the same connection from their answers", async () => {
    const { server, address } = await pouring();
    const { client } = await stage.warm([{ address }]);
    const stream = client.serverStream(Buffer.from("x"));
    stream.on("error", () => {});
    await server.received();

    const echoes = client.bidi();
    echoes.write(Buffer.from("hello"));
    const [echo] = await once(echoes, "data");
    echoes.end();

    expect(String(echo)).toBe("hello");
    expect(ending((await collect(echoes)).status)).toBe("OK");
    stream.cancel();
  });

  it("is not taken for a silent server by streamIdleTimeoutMs", async () => {
    const { server, proxy, address } = await pouring();
    const { client } = await stage.warm([{ address }], { streamIdleTimeoutMs: 30 });
    const stream = client.serverStream(Buffer.from("x"));
    let isOver = false;
    stream.on("status", () => (isOver = true));
    stream.on("error", () => {});
    await server.received();
    await settled(proxy);

    // Five times the limit.
    await new Promise((resolve) => setTimeout(resolve, 150));

    expect(isOver).toBe(false);
    const { status } = await new Promise<Awaited<ReturnType<typeof collect>>>((resolve) => {
      void collect(stream).then(resolve);
    });
    expect(ending(status)).toBe("OK");
    expect(proxy.bytesFromServer).toBeGreaterThan(TOTAL);
  });
});

/** Until no more leaves the server. */
async function settled(proxy: { readonly bytesFromServer: number }): Promise<void> {
  for (let before = -1; before !== proxy.bytesFromServer; ) {
    before = proxy.bytesFromServer;
    await turns(200);
  }
}
