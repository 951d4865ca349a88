/**
 * `npm run nightly`: the measurements that take minutes and look at the clock, which no test may: answers of 10,000
 * endpoints, and a minute of changes and outages through a real Consul under load. Exit code 1 when a target is missed, or
 * a run fails; needs Consul (`node scripts/consul.mjs` builds it).
 */
import { spawn } from "node:child_process";
import { findConsul } from "./consul.mjs";
import { root } from "./project.mjs";

const RUNS = ["--discovery", "--consul"];

/** @returns what went wrong, or null */
function measure(flag) {
  const bench = spawn(process.execPath, ["--expose-gc", "--import", "tsx", "bench/main.ts", flag], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let printed = "";
  bench.stdout.setEncoding("utf8").on("data", (text) => {
    process.stdout.write(text);
    printed += text;
  });
  return new Promise((resolve) => {
    bench.once("error", (error) => resolve(`${flag}: ${error.message}`));
    bench.once("close", (code, signal) => {
      if (code !== 0) resolve(`${flag} ended with ${signal ?? `exit code ${code}`}`);
      else resolve(printed.includes("MISSED") ? `${flag} missed a target` : null);
    });
  });
}

if (findConsul() === undefined) {
  console.error("Consul is neither on PATH nor built; node scripts/consul.mjs builds it");
  process.exitCode = 1;
} else {
  for (const flag of RUNS) {
    const problem = await measure(flag);
    if (problem === null) continue;
    console.error(problem);
    process.exitCode = 1;
  }
}
