/**
 * `node scripts/start.mjs EXAMPLE [flags]`, which `npm start` and `npm run example:etcd` call: runs an example from a fresh
 * clone on. Installs when node_modules is missing or older than the lock file, builds when dist is missing or older than
 * the sources, then hands over arguments and signals, and takes over the exit code.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { build, dist, forwardSignals, install, needsInstall, root, run } from "./project.mjs";

const examples = {
  "raft-kv": join("examples", "raft-kv", "demo", "main.ts"),
  etcd: join("examples", "etcd", "main.ts"),
};
const CANNOT_RUN = 2;
/** Standard output belongs to the example, which may be asked for JSON: all else goes to standard error. */
const onStderr = ["ignore", 2, 2];

forwardSignals(["SIGINT", "SIGTERM", "SIGHUP"]);
process.exitCode = await main(process.argv.slice(2));

async function main([name, ...args]) {
  const example = Object.hasOwn(examples, name) ? examples[name] : undefined;
  if (example === undefined) {
    console.error(`no example "${name ?? ""}"; there are ${Object.keys(examples).join(", ")}`);
    return CANNOT_RUN;
  }
  if (needsInstall() && (await step("node_modules is missing or outdated: installing", install)) !== 0)
    return CANNOT_RUN;
  if (isDistStale() && (await step("dist is missing or older than src: building", build)) !== 0)
    return CANNOT_RUN;
  return runExample(example, args);
}

async function step(title, action) {
  console.error(title);
  const code = await action(onStderr);
  if (code !== 0) console.error(`that failed with exit code ${code}`);
  return code;
}

function isDistStale() {
  if (!existsSync(join(dist, "index.js"))) return true;
  const sources = Math.max(newestIn(join(root, "src")), statSync(join(root, "tsconfig.build.json")).mtimeMs);
  return newestIn(dist) < sources;
}

/** When the newest file under a folder was written. */
function newestIn(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

function runExample(example, args) {
  // The build's settings have no short cut from "holdfast" to src: the example meets the package as users do, in dist.
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.build.json") };
  // All of it stays on loopback, where the warning about plaintext says nothing and would stand in the picture.
  const command = ["--disable-warning=HOLDFAST_INSECURE", "--import", "tsx", example, ...args];
  // By the ipc channel the example notices when this script is killed outright.
  return run(process.execPath, command, { env, stdio: ["inherit", "inherit", "inherit", "ipc"] });
}
