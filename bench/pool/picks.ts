import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Section } from "../report/section.js";
import type { ClockCost, PickCost } from "./pick-costs.js";
import { type PolicyCosts, pickTable, pickVerdicts } from "./pick-report.js";
import { POLICIES } from "./policies.js";

const SCRIPT = fileURLToPath(new URL("pick-process.ts", import.meta.url));
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const WITHIN_MS = 120_000;

/** What a pick costs as endpoints grow in number, policy by policy. */
export async function* ofPicks(): AsyncGenerator<Section> {
  const clock = await inOwnProcess<ClockCost>("clock");
  const policies: PolicyCosts[] = [];
  for (const policy of Object.keys(POLICIES)) {
    policies.push({ policy, costs: await inOwnProcess<PickCost[]>(policy) });
  }
  yield {
    part: "picks",
    data: { title: "picks", clock, policies },
    table: pickTable(policies, clock),
    verdicts: policies.flatMap(pickVerdicts),
  };
}

/** A user has one policy as a rule: another one's picks would change how this one's are compiled. */
async function inOwnProcess<T>(name: string): Promise<T> {
  const args = ["--expose-gc", "--import", "tsx", SCRIPT, name];
  const options = { cwd: ROOT, timeout: WITHIN_MS, killSignal: "SIGKILL" } as const;
  const { stdout } = await promisify(execFile)(process.execPath, args, options);
  return JSON.parse(stdout) as T;
}
