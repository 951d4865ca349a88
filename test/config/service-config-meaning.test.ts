import fc from "fast-check";
import { expect, it, vi } from "vitest";
import { checkOptions, KnownMethods } from "../../src/call/index.js";
import { MethodPolicies } from "../../src/call/method-policy.js";
import { fromServiceConfig } from "../../src/config/index.js";
import { SeededRandom } from "../support/seeded-random.js";
import { type Entry, serviceConfigs } from "./service-configs.js";

vi.spyOn(process, "emitWarning").mockImplementation(() => {});

const PATHS = ["/a.B/C", "/a.B/D", "/a.B/E", "/x.Y/Z"];

it("means for each method what gRPC reads in the entry that matches it best, and in no other (R153, R154, R8)", () => {
  fc.assert(
    fc.property(serviceConfigs, (config) => {
      const { value } = checkOptions({ insecure: true, ...fromServiceConfig(config) });
      const policies = new MethodPolicies(value!, new KnownMethods(), new SeededRandom(1));

      for (const path of PATHS) {
        const entry = entryFor(path, config.methodConfig ?? []);
        const { retry, hedging, isWaitingForReady, timeoutMs } = policies.of(path);
        expect({
          attempts: retry.maxAttempts,
          hedges: hedging?.options.maxAttempts ?? 1,
          isWaitingForReady,
          hasTimeout: timeoutMs !== 30_000,
        }).toEqual({
          attempts: entry === undefined ? 3 : atMostFive(entry.retryPolicy),
          hedges: atMostFive(entry?.hedgingPolicy),
          isWaitingForReady: entry?.waitForReady ?? false,
          hasTimeout: entry?.timeout !== undefined,
        });
      }
    }),
    { numRuns: 300 },
  );
});

it("limits messages of a named method by the entry that matches it best (R156)", () => {
  fc.assert(
    fc.property(serviceConfigs, (config) => {
      const { value } = checkOptions({ insecure: true, ...fromServiceConfig(config) });
      const policies = new MethodPolicies(value!, new KnownMethods(), new SeededRandom(1));

      for (const path of PATHS) {
        const entry = entryFor(path, config.methodConfig ?? []);
        // A default entry's limits may be left out, with a warning.
        if (entry === undefined || entry.name[0]?.service === undefined) continue;
        const { maxSendMessageBytes, maxReceiveMessageBytes } = policies.of(path);
        expect([maxSendMessageBytes, maxReceiveMessageBytes]).toEqual(
          [entry.maxRequestMessageBytes, entry.maxResponseMessageBytes].map((bytes) =>
            Math.min(bytes ?? Number.POSITIVE_INFINITY, 4 * 1024 * 1024),
          ),
        );
      }
    }),
    { numRuns: 300 },
  );
});

/** Exact, then service, then default: gRPC's rule, told once more. */
function entryFor(path: string, entries: readonly Entry[]): Entry | undefined {
  const [, service, method] = path.split("/");
  const names = [
    { service, method },
    { service, method: undefined },
    { service: undefined, method: undefined },
  ];
  return names
    .map((wanted) =>
      entries.find(({ name }) =>
        name.some((own) => own.service === wanted.service && own.method === wanted.method),
      ),
    )
    .find((entry) => entry !== undefined);
}

function atMostFive(policy: { readonly maxAttempts: number } | undefined): number {
  return Math.min(policy?.maxAttempts ?? 1, 5);
}
