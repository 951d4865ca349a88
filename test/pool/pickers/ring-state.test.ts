import { expect, it } from "vitest";
import type { ConnectivityWord } from "../../../src/core/index.js";
import { ringState } from "../../../src/pool/pickers/ring-state.js";

const [I, C, R, F]: ConnectivityWord[] = ["IDLE", "CONNECTING", "READY", "TRANSIENT_FAILURE"];

it.each([
  [[F, F, C, I, R], "READY"],
  [[F, F, C, I], "TRANSIENT_FAILURE"],
  [[F, C, I], "CONNECTING"],
  [[C, I], "CONNECTING"],
  [[F, I], "CONNECTING"],
  [[I, I], "IDLE"],
  [[F], "TRANSIENT_FAILURE"],
  [[], "TRANSIENT_FAILURE"],
])("endpoints on a ring that are %j make a channel that is %s (R131)", (states, expected) => {
  expect(ringState(states as ConnectivityWord[])).toBe(expected);
});
