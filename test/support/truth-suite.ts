import { afterAll, afterEach, beforeEach, expect } from "vitest";
import { ClientSockets } from "./client-sockets.js";
import { until } from "./event-loop.js";
import { Ledger } from "./truth-ledger.js";

/**
 * A file of matrices: prints its table once at the end, and proves that no call left a socket behind. `leakBaseline`
 * also knows every timer, which would cost these thousands of calls several times their own time, and sees the
 * sockets of Node's server, which now and then keeps one that its client has reset.
 */
export function truthSuite(title: string): Ledger {
  const ledger = new Ledger();
  let sockets: ClientSockets;
  beforeEach(() => {
    sockets = new ClientSockets();
  });
  afterEach(async () => {
    await until(() => sockets.open.length === 0, "the end of every client's socket", 20_000);
    sockets.close();
  });
  afterAll(() => console.info(`${title}\n\n${ledger.table}\n`));
  return ledger;
}

/** What holds of every call of every matrix. */
export function expectTruth(ledger: Ledger): void {
  expect(ledger.contradictions.join("\n")).toBe("");
  expect(ledger.verdicts.length).toBeGreaterThan(0);
}
