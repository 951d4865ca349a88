import * as grpc from "@grpc/grpc-js";
import {
  authInterceptor,
  breakerInterceptor,
  callOptions,
  concurrencyLimitInterceptor,
  deadlineInterceptor,
  harden,
  hooksInterceptor,
  metadataInterceptor,
} from "holdfast";
import { afterEach, describe, expect, it } from "vitest";
import { KINDS } from "../../support/contract-calls.js";
import { direct } from "../../support/directed-server.js";
import { usePlainBench } from "./plain-bench.js";

describe("the interceptors on a hardened stub", () => {
  const bench = usePlainBench();
  const closings: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closings.splice(0).map((close) => close()));
  });

  it.each(KINDS)("keep what callOptions said of a %s call, which the channel then repeats", async (kind) => {
    const endpoints: (string | null)[] = [];
    const stub = harden(
      bench.open([
        hooksInterceptor({ onFinish: ({ endpoint }) => void endpoints.push(endpoint) }),
        deadlineInterceptor({ timeoutMs: 5_000 }),
        breakerInterceptor({ consecutiveFailures: 1 }),
        concurrencyLimitInterceptor(),
        metadataInterceptor(async () => new grpc.Metadata()),
        authInterceptor({ getToken: async () => "good" }),
      ]),
      {
        target: `static:///${bench.server.address}`,
        insecure: true,
        retry: { backoff: { kind: "immediate" } },
      },
    );
    closings.push(() => stub.getChannel().close({ drainMs: 0 }));
    const options = callOptions({ timeoutMs: 10_000, idempotent: true });

    const { error, told } = await bench.call(stub, kind, { metadata: direct("fail-first"), options });

    expect(error).toBeNull();
    expect(told).toEqual({ ends: 1, statuses: 1 });
    expect(bench.server.runs).toHaveLength(2);
    expect(endpoints).toEqual([bench.server.address]);
  });
});
