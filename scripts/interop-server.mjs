/**
 * grpc-go's interoperability server, built by the Go toolchain into the user's cache folder and found there afterwards.
 * `node scripts/interop-server.mjs` prints its path and builds it first where it is missing; progress goes to standard
 * error. Needs Go 1.19 or later on PATH, no C compiler; where modules come from is Go's own configuration (`go env`).
 */
import { whenRunByHand } from "./servers/by-hand.mjs";
import { CachedProgram } from "./servers/cached-program.mjs";
import { findGo, runGo } from "./servers/go.mjs";

export { findGo };

const PACKAGE = "google.golang.org/grpc/interop/server";
/** The last release that Go 1.19 builds, which is the Go of Debian 12: grpc-go 1.65 wants 1.21. */
const VERSION = "v1.64.1";
/** Ten seconds of two quiet cores, downloads included; a proxy that never answers must end at some time. */
const INSTALL_LIMIT_MS = 600_000;

const server = new CachedProgram({
  release: `grpc-go-interop-server-${VERSION}`,
  program: "server",
  limitMs: INSTALL_LIMIT_MS,
});

/** Path of the server, or undefined while it is not installed. */
export function findInteropServer() {
  return server.find();
}

/**
 * Path of the server, installed first where it is missing. Several processes may do so at once. `tell` hears of
 * progress, a line at a time.
 */
export async function installInteropServer(tell = console.error) {
  const found = findInteropServer();
  if (found !== undefined) return found;
  const go = findGo();
  if (go === undefined) throw new Error(`${PACKAGE} needs Go on PATH (Debian: apt-get install golang-go)`);
  const build = (folder, goal) => {
    tell(`installing ${PACKAGE}@${VERSION} with ${go} into ${goal}`);
    return runGo("go", ["install", `${PACKAGE}@${VERSION}`], {
      cwd: folder,
      env: { GOBIN: folder },
      limitMs: INSTALL_LIMIT_MS,
      hear: tell,
    });
  };
  return server.install(build, tell);
}

whenRunByHand(import.meta.url, async () => console.log(await installInteropServer()));
