// Measures one policy, or the clock, in a process of its own: `node --expose-gc --import tsx pick-process.ts <name>`.
import { measureClock, measurePicks } from "./pick-costs.js";
import { POLICIES } from "./policies.js";

const name = process.argv[2] ?? "";
const measured = POLICIES[name];
if (name === "clock") console.log(JSON.stringify(await measureClock()));
else if (measured === undefined) throw new Error(`no policy is called ${JSON.stringify(name)}`);
else console.log(JSON.stringify(await measurePicks(measured)));
