/**
 * `node scripts/start.mjs EXAMPLE [flags]`, which `npm start` and `npm run example:...` call: runs an example from a fresh
 * clone on. Installs when node_modules is missing or older than the lock file, builds when dist is missing or older than
 * the sources, then hands over arguments and signals, and takes over the exit code. Ends the example when npm, which
 * started it, is gone.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { onParentGone } from "./parent-watch.mjs";
import { build, dist, forwardSignals, install, needsInstall, root, run, stop, stopCode } from "./project.mjs";

const examples = {
  "raft-kv": join("examples", "raft-kv", "demo", "main.ts"),
  etcd: join("examples", "etcd", "main.ts"),
  consul: join("examples", "consul", "main.ts"),
};
const CANNOT_RUN = 2;
/** Exit codes from here on are those of signals, and say what happened. */
const FIRST_SIGNAL_CODE = 129;
/** Standard output belongs to the example, which may be asked for JSON: all else goes to standard error. */
const onStderr = ["ignore", 2, 2];

forwardSignals(["SIGINT", "SIGTERM", "SIGHUP"]);
// Only under npm: a script started by hand with nohup outlives its shell, as it should.
if (process.env.npm_lifecycle_event) onParentGone(() => stop("SIGTERM"));
// `npm start 2>&1 | head`: the example notices too, and ends.
process.stderr.on("error", () => {});
process.exitCode = await main(process.argv.slice(2));

async function main([name, ...args]) {
  const example = Object.hasOwn(examples, name) ? examples[name] : undefined;
  if (example === undefined) {
    console.error(`no example "${name ?? ""}"; there are ${Object.keys(examples).join(", ")}`);
    return CANNOT_RUN;
  }
  if (needsInstall() && (await step("node_modules is missing or outdated: installing", install)) !== 0)
    return stopCode() ?? CANNOT_RUN;
  if (isDistStale() && (await step("dist is missing or older than src: building", build)) !== 0)
    return stopCode() ?? CANNOT_RUN;
  return runExample(example, args);
}

async function step(title, action) {
  console.error(title);
  const code = await action(onStderr);
  // Stopped, even if the step went through: a Ctrl-C may have come at its very end.
  if (stopCode() !== undefined) return stopCode();
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

async function runExample(example, args) {
  // The build's settings have no short cut from "holdfast" to src: the example meets the package as users do, in dist.
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.build.json") };
  // All of it stays on loopback, where the warning about plaintext says nothing and would stand in the picture.
  const command = ["--disable-warning=HOLDFAST_INSECURE", "--import", "tsx", example, ...args];
  // By the ipc channel the example notices when this script is killed outright, and says when its exit code is meant.
  const stdio = ["inherit", "inherit", "inherit", "ipc"];
  let isMeant = false;
  const onMessage = () => {
    isMeant = true;
  };
  const code = await run(process.execPath, command, { env, stdio, onMessage });
  return isMeant || code >= FIRST_SIGNAL_CODE ? code : CANNOT_RUN;
}
