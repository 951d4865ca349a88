import { describe, expect, it } from "vitest";
import { runToEnd } from "../support/finished-process.js";
import { acceptOnly } from "../support/silent-server.js";
import { Stage } from "../support/stage.js";
import { canDropSyn, SynSilence } from "../support/syn-silence.js";

const stage = new Stage();
const here = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
const PRELUDE = `
  import grpc from "@grpc/grpc-js";
  import { callOptions, createChannel, stubFor } from ${here("../../src/index.ts")};
  import { CounterClient } from ${here("../support/counter-service.ts")};
  const call = (client, options) =>
    new Promise((resolve) => client.unary(Buffer.from("x"), options, (error) => resolve(error?.reason ?? "OK")));
`;
/** Far longer than ending takes, far shorter than anything that would hold a process by mistake. */
const LINGER_MS = 3_000;

describe("a process that forgot to close its channels", () => {
  it("ends by itself, with connections that stand and dials that are not answered", async () => {
    const [server, silent] = [await stage.server(), stage.use(await acceptOnly())];
    const source = `${PRELUDE}
      const used = createChannel("static:///${server.address}", { insecure: true });
      console.log(await call(stubFor(CounterClient, used), callOptions({})));
      const dialling = createChannel("static:///${silent.address}", { insecure: true });
      dialling.getConnectivityState(true);
      setTimeout(() => console.log(dialling.endpoints()[0].state, "done"), 50);`;

    const { printed, exitCode } = await runToEnd(source, LINGER_MS);

    expect(printed).toContain("OK\nCONNECTING done");
    expect(exitCode).toBe(0);
  });

  it("ends by itself while a resolver has a stream to its registry", async () => {
    const registry = await stage.server();
    const source = `${PRELUDE}
      import { resolverDeps } from ${here("../../src/call/index.ts")};
      const channel = resolverDeps({}).openChannel("static:///${registry.address}", { idempotent: [] });
      const stream = channel.stream(CounterClient.service.Bidi, {
        onMessage: () => console.log("open", "done"),
        onEnd: (error) => console.log("over", error),
      });
      stream.send(Buffer.from("x"));
      // Somebody else's reason to live, until the stream is there.
      const alive = setInterval(() => {}, 1_000);
      setTimeout(() => clearInterval(alive), 1_000);`;

    const { printed, exitCode } = await runToEnd(source, LINGER_MS);

    expect(printed).toContain("open done");
    expect(exitCode).toBe(0);
  });

  const dropping = canDropSyn();
  const skipped = dropping.ok ? "" : ` (skipped: ${dropping.reason})`;
  const title = `ends after connectTimeoutMs where no SYN is answered; bare grpc-js stays${skipped}`;
  it.skipIf(!dropping.ok)(title, async () => {
    const server = await stage.server();
    stage.use(SynSilence.start(server.port));
    const ours = `${PRELUDE}
      const dialling = createChannel("static:///${server.address}", { insecure: true, connectTimeoutMs: 200 });
      dialling.getConnectivityState(true);
      setTimeout(() => console.log(dialling.endpoints()[0].state, "done"), 50);`;
    const bare = `${PRELUDE}
      const dialling = new grpc.Channel("ipv4:${server.address}", grpc.credentials.createInsecure(), {});
      dialling.getConnectivityState(true);
      setTimeout(() => { dialling.close(); console.log("done"); }, 50);`;

    const [hardened, plain] = await Promise.all([runToEnd(ours, LINGER_MS), runToEnd(bare, 500)]);

    expect(hardened.printed).toContain("CONNECTING done");
    expect([hardened.exitCode, plain.exitCode]).toEqual([0, null]);
  });
});

describe("a process whose calls still wait", () => {
  it("stays until they have settled, in a queue and between two attempts, and then ends", async () => {
    const [silent, failing] = [stage.use(await acceptOnly()), await stage.server()];
    failing.unary = (_call, callback) => callback({ code: 14, details: "scripted" });
    const source = `${PRELUDE}
      const queued = createChannel("static:///${silent.address}", { insecure: true });
      const backoff = { kind: "fixed", initialMs: 300 };
      const retried = createChannel("static:///${failing.address}", { insecure: true, retry: { backoff } });
      const results = Promise.all([
        call(stubFor(CounterClient, queued), callOptions({ timeoutMs: 300 })),
        call(stubFor(CounterClient, retried), callOptions({ idempotent: true })),
      ]);
      void results.then((words) => console.log(words.join(" "), "done"));`;

    const { printed, exitCode } = await runToEnd(source, LINGER_MS);

    expect(printed).toContain("NO_READY_ENDPOINT REMOTE done");
    expect(exitCode).toBe(0);
  });
});
