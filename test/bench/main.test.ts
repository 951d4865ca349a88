import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** As `npm run bench -- <flags>`. */
async function bench(...flags: string[]): Promise<string> {
  const args = ["--expose-gc", "--import", "tsx", "bench/main.ts", ...flags];
  return (await promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 60_000 })).stdout;
}

it("gives the numbers and the targets as JSON to whoever wants to compare runs", async () => {
  const { results } = JSON.parse(await bench("--only", "outage", "--json"));

  expect(results).toMatchObject([{ part: "outage", seed: 1 }]);
  expect(results[0].results.map((row: { calls: number }) => row.calls)).toEqual(Array(6).fill(5_000));
  expect(results[0].verdicts.map((verdict: { isMet: boolean }) => verdict.isMet)).toEqual(
    Array(5).fill(true),
  );
}, 60_000);

it("prints a table per measurement with its targets below, and what they came to at the end", async () => {
  const text = await bench(
    "--only",
    "fake",
    "--stacks",
    "bare,holdfast-events",
    "--rounds",
    "1",
    "--calls",
    "200",
  );

  expect(text).toMatch(/^Fake transport .*1 rounds of 200 calls/m);
  expect(text).toMatch(/^bare +[\d.]+ +\+0\.00 +1\.00/m);
  expect(text).toMatch(/^ {2}holdfast-events to bare: CPU \d+\.\d\d, target at most 1\.5: (met|MISSED)$/m);
  expect(text).toMatch(/^\d of 2 targets met$/m);
}, 60_000);
