import { isIP } from "node:net";
import { describe, expect, it } from "vitest";
import { systemLookup } from "../../../src/discovery/dns/host-lookup.js";

/** Too long a label for DNS, so that the failure needs no network. */
const IMPOSSIBLE_HOST = `${"a".repeat(64)}.invalid`;

describe("systemLookup", () => {
  it("knows the names of /etc/hosts, which a DNS server does not", async () => {
    const addresses = await systemLookup("localhost");

    expect(addresses.length).toBeGreaterThan(0);
    expect(addresses.every((address) => isIP(address) !== 0)).toBe(true);
    expect(addresses.some((address) => address === "127.0.0.1" || address === "::1")).toBe(true);
  });

  it("names host and code when it fails, and keeps the cause", async () => {
    const failure = await systemLookup(IMPOSSIBLE_HOST).catch((error: Error) => error);

    expect(failure).toBeInstanceOf(Error);
    expect((failure as Error).message).toMatch(
      new RegExp(`^the host "${IMPOSSIBLE_HOST}" could not be resolved: E[A-Z_]+$`),
    );
    expect((failure as Error).cause).toMatchObject({ syscall: "getaddrinfo" });
  });
});
