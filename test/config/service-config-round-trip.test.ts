import fc from "fast-check";
import { createChannel, fromServiceConfig } from "holdfast";
import { expect, it, vi } from "vitest";
import { durationText } from "./duration-text.js";
import { toServiceConfig } from "./service-config-writer.js";
import { serviceConfigs } from "./service-configs.js";

vi.spyOn(process, "emitWarning").mockImplementation(() => {});

it("says the same after it was written down and read again (R161)", () => {
  fc.assert(
    fc.property(serviceConfigs, (config) => {
      const options = fromServiceConfig(config);

      expect(fromServiceConfig(JSON.stringify(toServiceConfig(options)))).toEqual(options);
    }),
  );
});

it("gives options that every channel takes, whoever declares what idempotent", async () => {
  await fc.assert(
    fc.asyncProperty(serviceConfigs, fc.boolean(), async (config, declareIdempotent) => {
      const options = fromServiceConfig(config, { declareIdempotent });

      await createChannel("static:///a:1", { insecure: true, ...options }).close();
    }),
  );
});

it("keeps every nanosecond of a duration of up to an hour (R155)", () => {
  fc.assert(
    fc.property(fc.bigInt(1_000_000n, 3_600_000_000_000n), (ns) => {
      const text = `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, "0")}s`;
      const { timeoutMs } = fromServiceConfig({ methodConfig: [{ name: [{}], timeout: text }] });

      expect(durationText(timeoutMs as number)).toBe(text);
    }),
  );
});
