import { once } from "node:events";
import type * as grpc from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { callToEnd, startCall } from "../support/contract-calls.js";
import { describeAllDoors } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";
import { turns } from "../support/event-loop.js";

const CHUNK = "x".repeat(16_384);

describeAllDoors((entrance) => {
  const { flavour } = entrance;

  it("gives each of 100 calls in parallel its own answer", async () => {
    const { stub } = entrance.open();
    const texts = Array.from({ length: 100 }, (_, index) => `text ${index}`);

    const ends = await Promise.all(texts.map((text) => callToEnd(flavour, stub, "unary", { texts: [text] })));

    expect(ends.map((end) => end.answers)).toEqual(texts.map((text) => [[text, 1]]));
    expect(entrance.runs).toHaveLength(100);
  });

  it("sends a client stream that is larger than every buffer, waiting for each drain", async () => {
    const { stub } = entrance.open();
    const call = startCall(flavour, stub, "clientStream", { texts: [], isLeftOpen: true });
    const writable = call.raw as grpc.ClientWritableStream<object>;
    let drains = 0;

    for (let sent = 0; sent < 200; sent++) {
      if (writable.write(flavour.ask(CHUNK, 0))) continue;
      drains++;
      await once(writable, "drain");
    }
    writable.end();

    expect((await call.end).answers).toEqual([[String(200 * CHUNK.length), 200]]);
    expect(drains).toBeGreaterThan(3);
  });

  it("holds the writer of a client stream back while the server does not read", async () => {
    const { stub } = entrance.open();
    const begun = entrance.nextRun();
    const metadata = direct("pause");
    const call = startCall(flavour, stub, "clientStream", { texts: ["a"], metadata, isLeftOpen: true });
    const writable = call.raw as grpc.ClientWritableStream<object>;
    await begun;

    let isDrained = true;
    let written = 1;
    while (isDrained && written < 2_000) {
      written++;
      if (writable.write(flavour.ask(CHUNK, 0))) continue;
      isDrained = await Promise.race([once(writable, "drain").then(() => true), turns(20).then(() => false)]);
    }
    writable.end();
    for (const server of entrance.servers) server.unpause();

    expect(isDrained).toBe(false);
    expect((await call.end).answers).toEqual([[String(1 + (written - 1) * CHUNK.length), written]]);
  });
});
