import { alignColumns } from "../../examples/shared/align-columns.js";
import { atMost, below, type Verdict } from "../report/verdict.js";
import { type ClockCost, PICK_SIZES, type PickCost, type PickPath } from "./pick-costs.js";
import { POLICIES } from "./policies.js";

/** One policy, all sizes and paths. */
export interface PolicyCosts {
  readonly policy: string;
  readonly costs: readonly PickCost[];
}

/** A pick may cost so many times more than the growth alone says: larger sets lie in slower memory. */
const TIMES = 3;
/** Less than the smallest object by far: what is left over is the meter's. */
const BYTES = 1;
const FIRST = PICK_SIZES[0];
const LAST = PICK_SIZES[PICK_SIZES.length - 1] as number;
const PATH_TITLES: Readonly<Record<PickPath, string>> = {
  pool: "through the pool",
  picker: "the picker alone",
};

export function pickTable(policies: readonly PolicyCosts[], clock: ClockCost): string {
  const counts = PICK_SIZES.map((size) => size.toLocaleString("en"));
  const heads = ["", ...counts.map((count) => `ns at ${count}`), ...counts.map((count) => `B at ${count}`)];
  const rows = policies.flatMap(({ policy, costs }) =>
    [...new Set(costs.map(({ path }) => path))].map((path) => {
      const own = costs.filter((cost) => cost.path === path);
      const last = own.at(-1)?.ratio ?? Number.NaN;
      return [
        `${policy}, ${PATH_TITLES[path]}`,
        ...own.map(({ nanos }) => nanos.toFixed(0)),
        ...own.map(({ bytes }) => bytes.toFixed(2)),
        last.toFixed(2),
      ];
    }),
  );
  return [
    "Picks (all endpoints READY, over a fake network; each policy in a process of its own)",
    alignColumns([[...heads, "last to first"], ...rows]),
    `the clock, which a call reads once as it begins: ${clock.nanos.toFixed(0)} ns, ${clock.bytes.toFixed(2)} B`,
  ].join("\n");
}

/** From the smallest to the largest set, and bytes at any size. */
export function pickVerdicts({ policy, costs }: PolicyCosts): Verdict[] {
  const paths = [...new Set(costs.map(({ path }) => path))];
  return paths.flatMap((path) => {
    const own = costs.filter((cost) => cost.path === path);
    const name = `${policy}, ${PATH_TITLES[path]}`;
    const last = own.find(({ endpoints }) => endpoints === LAST)?.ratio ?? Number.NaN;
    return [
      atMost(`${name}: ns at ${LAST.toLocaleString("en")} to ${FIRST}`, last, limitOf(policy)),
      below(`${name}: bytes per pick`, Math.max(...own.map(({ bytes }) => bytes)), BYTES),
    ];
  });
}

/** Three times what the growth of the set costs a search that is constant, or logarithmic. */
function limitOf(name: string): number {
  const measured = POLICIES[name];
  if (measured === undefined || measured.growth === "constant") return TIMES;
  const [first, last] = [FIRST, LAST].map((size) => Math.log2(measured.searched(size) + 1));
  return Math.round(((TIMES * (last as number)) / (first as number)) * 10) / 10;
}
