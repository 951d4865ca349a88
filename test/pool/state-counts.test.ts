import { expect, it } from "vitest";
import type { ConnectivityWord } from "../../src/core/index.js";
import { StateCounts } from "../../src/pool/state-counts.js";

it.each<[ConnectivityWord[], ConnectivityWord | null]>([
  [[], null],
  [["READY"], "READY"],
  [["TRANSIENT_FAILURE", "CONNECTING", "IDLE", "READY"], "READY"],
  [["READY", "TRANSIENT_FAILURE"], "READY"],
  [["TRANSIENT_FAILURE", "CONNECTING"], "CONNECTING"],
  [["CONNECTING", "IDLE"], "CONNECTING"],
  [["IDLE"], "CONNECTING"],
  [["TRANSIENT_FAILURE", "IDLE"], "CONNECTING"],
  [["TRANSIENT_FAILURE"], "TRANSIENT_FAILURE"],
  [["TRANSIENT_FAILURE", "TRANSIENT_FAILURE"], "TRANSIENT_FAILURE"],
  [["SHUTDOWN", "TRANSIENT_FAILURE"], "TRANSIENT_FAILURE"],
])("R107: a target with endpoints %j is %s", (words, expected) => {
  const counts = new StateCounts();
  for (const word of words) counts.set({}, word);

  expect(counts.aggregate).toBe(expected);
});

it.each<[ConnectivityWord[], ConnectivityWord | null]>([
  [["TRANSIENT_FAILURE", "TRANSIENT_FAILURE", "CONNECTING", "IDLE", "READY"], "READY"],
  [["TRANSIENT_FAILURE", "TRANSIENT_FAILURE", "CONNECTING", "IDLE"], "TRANSIENT_FAILURE"],
  [["TRANSIENT_FAILURE", "CONNECTING", "IDLE"], "CONNECTING"],
  [["CONNECTING", "IDLE"], "CONNECTING"],
  [["TRANSIENT_FAILURE", "IDLE"], "CONNECTING"],
  [["IDLE", "IDLE"], "IDLE"],
  [["TRANSIENT_FAILURE"], "TRANSIENT_FAILURE"],
  [[], null],
])("endpoints that connect as they are picked, %j, make a target that is %s (R131)", (words, expected) => {
  const counts = new StateCounts();
  for (const word of words) counts.set({}, word);

  expect(counts.pickedAggregate).toBe(expected);
});
