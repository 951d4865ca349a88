import { pickFirst } from "./pick-first.js";
import type { PickerPolicy } from "./picker.js";
import { roundRobin } from "./round-robin.js";

export type { Candidate, Picker, PickerPolicy, PickFilter } from "./picker.js";

/** Load-balancing policies by the names that configuration uses. */
export const PICKER_POLICIES: Readonly<Record<"round_robin" | "pick_first", PickerPolicy>> = {
  round_robin: roundRobin,
  pick_first: pickFirst,
};
