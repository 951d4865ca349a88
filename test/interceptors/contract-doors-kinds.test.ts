import { describe, expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { KINDS } from "../support/contract-calls.js";
import { describeDoors, doors } from "../support/contract-doors.js";
import { kindRows } from "../support/door-kinds.js";

describeDoors(
  (entrance) => {
    describe.each(kindRows)("$what", ({ kinds, isGiven }) => {
      it.each(KINDS)("is given to a %s call if docs/doors.md says so, and else is not", async (kind) => {
        const isSo = await isGiven(entrance, kind);

        expect(isSo).toBe(kinds.includes(kind));
      });
    });
  },
  doors.filter(({ id }) => id === "harden"),
  flavours.filter(({ name }) => name === "ts-proto"),
);
