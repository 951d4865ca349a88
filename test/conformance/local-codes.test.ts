import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Metadata, status } from "@grpc/grpc-js";
import { createChannel } from "holdfast";
import { describe, expect, it } from "vitest";
import { callOptions } from "../../src/call/index.js";
import { REASONS, type Reason, type ReportedStatus, ResilienceError } from "../../src/core/index.js";
import { A, ChannelBench, IDEMPOTENT, readyBench } from "../support/channel-bench.js";

/** Codes that only an application may use. */
const APPLICATIONS = [
  "INVALID_ARGUMENT",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "DATA_LOSS",
] as const;

/** Where such a code is read, or is the answer of a server that we serve. */
const ALLOWED = [
  // Reads what etcd said to a question.
  "src/discovery/etcd/etcd-errors.ts",
  "src/pool/guarded-credentials.ts",
  // Reads what a server said to a Check.
  "src/pool/health-verdict.ts",
  "src/raft-peer/clerk/reply-classifier.ts",
  "src/raft-peer/served-service.ts",
];

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("our own source", () => {
  const files = readdirSync(`${root}src`, { recursive: true, encoding: "utf8" })
    .map((name) => `src/${name.replaceAll("\\", "/")}`)
    .filter((path) => path.endsWith(".ts") && !path.startsWith("src/gen/"));

  it("names no code of the applications in a status of its own (R163)", () => {
    const names = new RegExp(`\\.(${APPLICATIONS.join("|")})\\b|\\["(${APPLICATIONS.join("|")})"\\]`);

    const naming = files.filter((path) => names.test(withoutComments(readFileSync(root + path, "utf8"))));

    expect(naming.sort()).toEqual(ALLOWED);
  });

  it("writes no code as a bare number (R163)", () => {
    const numbered = files.filter((path) => /\bcode: \d/.test(readFileSync(root + path, "utf8")));

    expect(numbered).toEqual([]);
  });
});

type Scene = readonly [
  reason: Reason,
  code: status,
  end: () => Promise<Pick<ReportedStatus, "code" | "reason">>,
];

/** How a call comes to each end of our own making. */
const SCENES: readonly Scene[] = [
  [
    "ATTEMPT_TIMEOUT",
    status.DEADLINE_EXCEEDED,
    async () => {
      const bench = await readyBench({ attemptTimeoutMs: 50 });
      const call = await bench.unary();
      await bench.advance(50);
      return call.status;
    },
  ],
  [
    "DEADLINE_EXCEEDED",
    status.DEADLINE_EXCEEDED,
    async () => {
      const bench = await readyBench();
      return (await bench.unary({ deadline: bench.clock.epoch() - 1 })).status;
    },
  ],
  [
    "RETRIES_EXHAUSTED",
    status.UNAVAILABLE,
    async () => {
      const bench = await readyBench({ ...IDEMPOTENT, retry: { maxAttempts: 2 } });
      const call = await bench.unary();
      bench.network.plan(A, "refuse");
      bench.network.last(A).lose("read ECONNRESET");
      await bench.advance(1_000);
      return call.status;
    },
  ],
  [
    "THROTTLED",
    status.UNAVAILABLE,
    async () => {
      const bench = await readyBench({ ...IDEMPOTENT, retry: { throttle: { maxTokens: 2 } } });
      const call = await bench.unary();
      bench.network.last(A).lose("read ECONNRESET");
      await bench.settle();
      return call.status;
    },
  ],
  [
    "CIRCUIT_OPEN",
    status.UNAVAILABLE,
    async () => {
      const bench = await readyBench({ breaker: { consecutiveFailures: 1 } });
      await bench.unary();
      bench.network.current.fail(status.UNAVAILABLE);
      await bench.settle();
      return (await bench.unary()).status;
    },
  ],
  [
    "NO_READY_ENDPOINT",
    status.DEADLINE_EXCEEDED,
    async () => {
      const bench = new ChannelBench();
      bench.network.plan(A, "hang");
      const call = await bench.unary({ deadline: bench.clock.epoch() + 10 });
      await bench.advance(10);
      return call.status;
    },
  ],
  [
    "CONNECTION_LOST",
    status.UNAVAILABLE,
    async () => {
      const bench = await readyBench();
      const call = await bench.unary();
      bench.network.last(A).lose("read ECONNRESET");
      await bench.settle();
      return call.status;
    },
  ],
  [
    "DIAL_FAILED",
    status.UNAVAILABLE,
    async () => {
      const bench = new ChannelBench({ retry: false });
      bench.network.plan(A, "refuse");
      return (await bench.unary()).status;
    },
  ],
  [
    "DISCOVERY_FAILED",
    status.UNAVAILABLE,
    async () => {
      const bench = new ChannelBench({ retry: false }, { target: "dns:///nowhere.example:1" });
      return (await bench.unary()).status;
    },
  ],
  [
    "MESSAGE_TOO_LARGE",
    status.RESOURCE_EXHAUSTED,
    async () => {
      const bench = await readyBench({ maxSendMessageBytes: 1 });
      return (await bench.unary()).status;
    },
  ],
  [
    "METADATA_INVALID",
    status.INTERNAL,
    async () => {
      const bench = await readyBench();
      const metadata = new Metadata();
      metadata.set("connection", "keep-alive");
      return (await bench.unary({ metadata })).status;
    },
  ],
  [
    "CLIENT_CLOSED",
    status.CANCELLED,
    async () => {
      const bench = await readyBench();
      await bench.channel.close();
      return (await bench.unary()).status;
    },
  ],
  [
    "CANCELLED",
    status.CANCELLED,
    async () => {
      const bench = await readyBench();
      const { deadline } = callOptions({ signal: AbortSignal.abort() });
      return (await bench.unary({ deadline: deadline as Date })).status;
    },
  ],
  [
    "CONFIG_INVALID",
    status.INTERNAL,
    async () => {
      try {
        createChannel("static:///a:1", {});
      } catch (error) {
        if (error instanceof ResilienceError) return error;
      }
      throw new Error("options without credentials were taken");
    },
  ],
];

/** Not the end of a call through a channel: the server's own answer, the Clerk's, or a concurrency limit's. */
const OF_OTHERS: readonly Reason[] = ["REMOTE", "NOT_LEADER", "OUTCOME_UNKNOWN", "OVERLOADED"];

describe("a failure of our own", () => {
  it.each(SCENES)("for %s has code %d, which is no application's (R163)", async (reason, code, end) => {
    const { code: found, reason: told } = await end();

    expect({ reason: told, code: found }).toEqual({ reason, code });
    expect(APPLICATIONS).not.toContain(status[code]);
  });

  it("is looked at for every reason there is (R163)", () => {
    const looked = new Set([...SCENES.map(([reason]) => reason), ...OF_OTHERS]);

    expect(REASONS.filter((reason) => !looked.has(reason))).toEqual([]);
  });
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
}
