import * as cockatiel3 from "cockatiel";
import * as cockatiel4 from "cockatiel-4";
import type { Cockatiel } from "../../src/breaker/create-strategy.js";

/** The versions of cockatiel that may be installed with us. */
export const COCKATIELS: [version: string, cockatiel: Cockatiel][] = [
  ["3", cockatiel3],
  ["4", cockatiel4],
];
