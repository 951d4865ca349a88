import { callDifferences } from "./door-differences-calls.js";
import { connectionDifferences } from "./door-differences-connections.js";

/** The ways to reach Holdfast, in the order of the table's columns. */
export const DOORS = {
  harden: "`harden` with credentials",
  stubFor: "`stubFor`",
  override: "`channelOverride`",
  promises: "`promises(hardened)`",
  bare: "`harden(stub)` alone",
  interceptors: "interceptors, plain client",
  plainPromises: "`promises(plain)`",
} as const;
export type DoorId = keyof typeof DOORS;
export const DOOR_IDS = Object.keys(DOORS) as readonly DoorId[];

/** `limited`: the row's note says how far. */
export type Verdict = "yes" | "limited" | "no";

/** One row: `yes` wherever nothing else is said. */
export interface Difference extends Partial<Readonly<Record<DoorId, "limited" | "no">>> {
  /** What a user may want. */
  readonly what: string;
  /** Why a door cannot, or what to use there; needed wherever a cell says `limited`. */
  readonly note?: string;
  /** Only stubs of this flavour show it; otherwise ts-proto's are tried. */
  readonly flavour?: "proto-loader";
}

/** What each door can carry. A probe of the same name finds out by calls whether each cell is true. */
export const differences = { ...callDifferences, ...connectionDifferences };
export type DifferenceId = keyof typeof differences;
export const DIFFERENCE_IDS = Object.keys(differences) as readonly DifferenceId[];

export function verdictOf(row: DifferenceId, door: DoorId): Verdict {
  const difference: Difference = differences[row];
  return difference[door] ?? "yes";
}

/** The table as it stands in docs/doors.md, and the notes below it. */
export function renderDifferences(): string {
  const notes: string[] = [];
  const rows = DIFFERENCE_IDS.map((id) => {
    const { what, note }: Difference = differences[id];
    if (note !== undefined) notes.push(note);
    const mark = note === undefined ? "" : ` <sup>${notes.length}</sup>`;
    return `| ${what}${mark} | ${DOOR_IDS.map((door) => verdictOf(id, door)).join(" | ")} |`;
  });
  return [
    `| | ${Object.values(DOORS).join(" | ")} |`,
    `|---|${DOOR_IDS.map(() => "---").join("|")}|`,
    ...rows,
    "",
    ...notes.map((note, index) => `${index + 1}. ${note}`),
  ].join("\n");
}
