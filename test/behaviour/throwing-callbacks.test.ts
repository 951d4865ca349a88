import { expect, it } from "vitest";
import { runToEnd } from "../support/finished-process.js";
import { Stage } from "../support/stage.js";

const stage = new Stage();
const here = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
const LINGER_MS = 3_000;

/** Hedged calls, so that there are attempts to forget; what nobody caught is printed and survived. */
const PRELUDE = `
  import { callOptions, createChannel, stubFor } from ${here("../../src/index.ts")};
  import { CounterClient } from ${here("../support/counter-service.ts")};
  process.on("uncaughtException", (error) => console.log("uncaught", error.message.slice(0, 20)));
  const open = (address) => {
    const channel = createChannel("static:///" + address, {
      insecure: true,
      methods: { "holdfast.test.Counter": { idempotent: true } },
      hedging: { maxAttempts: 2, delayMs: 0 },
    });
    return { channel, client: stubFor(CounterClient, channel) };
  };
  const call = (client) =>
    new Promise((resolve) => client.unary(Buffer.from("x"), (error) => resolve(error?.reason ?? "OK")));
  const left = (channel) => {
    const { callsInFlight, callsQueued, retryBufferBytes } = channel.stats();
    return [callsInFlight, callsQueued, retryBufferBytes].join("");
  };
`;

it("a callback that throws harms no other call, and nothing of its own call is left", async () => {
  const server = await stage.server();
  const source = `${PRELUDE}
    const { channel, client } = open("${server.address}");
    await call(client);
    client.unary(Buffer.from("x"), () => { throw new Error("thrown by callback"); });
    const others = await Promise.all(Array.from({ length: 20 }, () => call(client)));
    console.log(others.filter((end) => end === "OK").length, left(channel));
    await channel.close();
    console.log("done");`;

  const { printed, exitCode } = await runToEnd(source, LINGER_MS);

  expect(printed).toContain("uncaught thrown by callback");
  expect(printed).toContain("20 000");
  expect(exitCode).toBe(0);
});

it("a callback that throws at a failure of our own making harms none of the calls that fail with it", async () => {
  const server = await stage.server();
  server.unary = () => {};
  const source = `${PRELUDE}
    const { channel, client } = open("${server.address}");
    client.unary(Buffer.from("x"), () => { throw new Error("thrown by callback"); });
    const others = Array.from({ length: 20 }, () => call(client));
    setTimeout(async () => {
      await channel.destroy();
      const ends = await Promise.all(others);
      console.log(ends.filter((end) => end === "CLIENT_CLOSED").length, left(channel), "done");
    }, 100);`;

  const { printed, exitCode } = await runToEnd(source, LINGER_MS);

  expect(printed.match(/uncaught/g)).toHaveLength(1);
  expect(printed).toContain("20 000 done");
  expect(exitCode).toBe(0);
});

it("a cancelled stream without an error listener does not end the process, as it does with the bare stub", async () => {
  const server = await stage.server();
  server.serverStream = () => {};
  const source = `${PRELUDE}
    const { channel, client } = open("${server.address}");
    const stream = client.serverStream(Buffer.from("x"));
    setTimeout(() => stream.cancel(), 100);
    setTimeout(async () => {
      console.log(left(channel), await call(client));
      await channel.close();
      console.log("done");
    }, 200);`;

  const { printed, exitCode } = await runToEnd(source, LINGER_MS);

  expect(printed).not.toContain("uncaught");
  expect(printed).toContain("000 OK");
  expect(exitCode).toBe(0);
});
