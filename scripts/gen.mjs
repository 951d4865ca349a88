/**
 * Regenerates `src/gen/` from `proto/`. With an argument, writes `<argument>/src/gen/` instead and leaves ours alone;
 * a test uses that to prove that the checked-in code is current.
 */
import { spawnSync } from "node:child_process";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const output = resolve(process.argv[2] ?? root);
const buf = resolve(root, "node_modules/.bin/buf");

const { status, error } = spawnSync(buf, ["generate", "--output", output], { cwd: root, stdio: "inherit" });
if (error) throw new Error(`cannot run ${buf}: ${error.message}; is "npm install" done?`, { cause: error });
process.exit(status ?? 1);
