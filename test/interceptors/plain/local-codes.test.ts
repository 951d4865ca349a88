import * as grpc from "@grpc/grpc-js";
import {
  authInterceptor,
  breakerInterceptor,
  compose,
  concurrencyLimitInterceptor,
  deadlineInterceptor,
  hooksInterceptor,
  metadataInterceptor,
  ResilienceError,
} from "holdfast";
import { expect, it } from "vitest";
import { settle } from "../../support/manual-clock.js";
import { FakeTransport, type StartArgs, unaryThrough } from "./fake-below.js";

const { status } = grpc;
const ALLOWED = ["UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED", "CANCELLED", "INTERNAL"];

const failing = (code: number) => () => Promise.reject(Object.assign(new Error("no"), { code }));

/** Every way in which an interceptor ends a call by itself. */
const failures: readonly (readonly [string, () => Promise<grpc.StatusObject | undefined>])[] = [
  ["a deadline that has passed", () => ended(deadlineInterceptor(), { options: { deadline: 1 } })],
  ["an open breaker", () => endedAfter(breakerInterceptor({ consecutiveFailures: 1 }))],
  [
    "a full queue",
    () => endedAfter(concurrencyLimitInterceptor({ maxConcurrentCalls: 1, maxQueuedCalls: 0 }), false),
  ],
  ["forbidden metadata", () => ended(metadataInterceptor(() => forbidden()))],
  ["a closed channel", () => ended(hooksInterceptor({}), {}, new Error("Channel has been shut down"))],
  ["an interceptor that throws", () => ended(hooksInterceptor({}), {}, new Error("oops"))],
  ["an interceptor that returns nothing", () => ended(compose((() => undefined) as never))],
  ...Object.values(status)
    .filter((code) => typeof code === "number")
    .flatMap((code) => [
      [`metadata that fails with ${status[code]}`, () => ended(metadataInterceptor(failing(code)))] as const,
      [
        `a token that fails with ${status[code]}`,
        () => ended(authInterceptor({ getToken: failing(code) })),
      ] as const,
    ]),
];

it.each(failures)("R163, R164: a client can tell that %s is a failure of its own side", async (_, end) => {
  const failure = await end();

  expect(ALLOWED).toContain(status[failure?.code ?? 0]);
  expect(failure).toBeInstanceOf(ResilienceError);
  expect(failure).toMatchObject({ origin: "local", processed: "no", attempts: [] });
  expect(Reflect.get(failure ?? {}, "explanation")).toMatch(
    /^test\.Service\/Method: [A-Z_]+ in \d+ ms: .*; the server did not run it$/,
  );
  expect(Object.keys(failure ?? {})).not.toContain("message");
});

async function ended(interceptor: grpc.Interceptor, args: StartArgs = {}, error: Error | null = null) {
  const transport = new FakeTransport();
  transport.error = error;
  const { told } = unaryThrough(interceptor, transport, args);
  await settle();
  return told.statuses[0];
}

/** The second call through an interceptor, after one that failed or is still running. */
async function endedAfter(interceptor: grpc.Interceptor, hasFailed = true) {
  const transport = new FakeTransport();
  unaryThrough(interceptor, transport);
  if (hasFailed) transport.last.end(status.UNAVAILABLE, "down");
  const { told } = unaryThrough(interceptor, transport);
  await settle();
  return told.statuses[0];
}

function forbidden(): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set("connection", "close");
  return metadata;
}
