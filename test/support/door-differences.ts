/** The ways to reach Holdfast, in the order of the table's columns. */
export const DOORS = {
  harden: "`harden` with credentials",
  stubFor: "`stubFor(Class, channel)`",
  override: "`channelOverride`",
  promises: "`promises(hardened)`",
  bare: "`harden(stub)` alone",
  interceptors: "interceptors on a plain client",
  plainPromises: "`promises(plain)`",
} as const;
export type DoorId = keyof typeof DOORS;
export const DOOR_IDS = Object.keys(DOORS) as DoorId[];

/** `limited` is explained by the note. */
export type Verdict = "yes" | "limited" | "no";
export type DifferenceId = string;
export function verdictOf(_row: DifferenceId, _door: DoorId): Verdict {
  return "yes";
}
