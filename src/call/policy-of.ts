import { type PickerPolicy, pickFirst, roundRobin } from "../pool/index.js";

export function policyOf(name: "round_robin" | "pick_first"): PickerPolicy {
  return name === "pick_first" ? pickFirst : roundRobin;
}
