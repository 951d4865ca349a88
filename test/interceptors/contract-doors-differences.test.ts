import { expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { describeDoors, doors, furtherDoors } from "../support/contract-doors.js";
import { DIFFERENCE_IDS, type Difference, differences } from "../support/door-differences.js";
import { probes } from "../support/door-probes/index.js";

/** Which rows are tried with a flavour of stub. */
function rowsOf(flavour: string) {
  return DIFFERENCE_IDS.filter((id) => {
    const { flavour: shownBy }: Difference = differences[id];
    return (shownBy ?? "ts-proto") === flavour;
  });
}

for (const name of ["ts-proto", "proto-loader"]) {
  describeDoors(
    (entrance) => {
      it.each(rowsOf(name).map((id) => [differences[id].what, id] as const))(
        "carries what docs/doors.md promises, and no more: %s",
        async (_what, id) => {
          const found = await probes[id](entrance);

          expect(found).toBe(entrance.says(id));
        },
      );
    },
    [...doors, ...furtherDoors],
    flavours.filter((flavour) => flavour.name === name),
  );
}
