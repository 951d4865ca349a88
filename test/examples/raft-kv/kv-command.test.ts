import fc from "fast-check";
import type { KvCommand } from "holdfast";
import { expect, it } from "vitest";
import { decodeKvCommand, encodeKvCommand, kvCommandBytes } from "../../../examples/raft-kv/kv/kv-command.js";
import { NO_OP } from "../../../examples/raft-kv/raft/no-op.js";

const id = () => fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
const anyCommand = fc.record<KvCommand>({
  op: fc.constantFrom("put", "append", "get"),
  key: fc.string({ unit: "binary" }),
  value: fc.string({ unit: "binary" }),
  clientId: id(),
  commandId: id(),
});

it("carries every command through the log unchanged, in bytes that are never empty nor a no-op", () => {
  fc.assert(
    fc.property(anyCommand, (command) => {
      const bytes = encodeKvCommand(command);

      expect(decodeKvCommand(bytes)).toEqual(command);
      expect(bytes.length).toBe(kvCommandBytes(command));
      expect(bytes.length).toBeGreaterThan(NO_OP.length);
    }),
  );
});

it("knows a leader's no-op", () => {
  expect(decodeKvCommand(NO_OP)).toBeNull();
});

it("refuses bytes that no node of this program wrote", () => {
  const good = encodeKvCommand({ op: "put", key: "k", value: "", clientId: 1n, commandId: 1n });
  const long = new Uint8Array(good);
  long[20] = 2;

  for (const bytes of [[], [9], [0, 0], [1, 0], [...good].with(0, 4), [...good].with(21, 0xff), [...long]])
    expect(() => decodeKvCommand(Uint8Array.from(bytes)), `${bytes}`).toThrow();
});
