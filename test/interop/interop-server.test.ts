import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/interop-server.mjs", import.meta.url));
const HOURS_AGO = new Date(Date.now() - 3 * 3_600_000);

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe.skipIf(process.platform === "win32")("the installer of grpc-go's server", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
    for (const name of ["bin", "cache"]) mkdirSync(join(folder, name));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("builds a pinned release without a C compiler or another Go, and prints where it is", async () => {
    putGo(`echo "CGO_ENABLED=$CGO_ENABLED GOTOOLCHAIN=$GOTOOLCHAIN go $*" > "$GOBIN/server"`);

    const { exitCode, stdout, stderr } = await install();

    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("with go version go0.0 test/none")]);
    expect(readFileSync(stdout.trim(), "utf8")).toMatch(
      /^CGO_ENABLED=0 GOTOOLCHAIN=local go install google\.golang\.org\/grpc\/interop\/server@v\d+\.\d+\.\d+\n$/,
    );
    expect(readdirSync(dirname(stdout.trim()))).toEqual(["server"]);
  });

  it("needs no Go once it is built", async () => {
    putGo(`echo built > "$GOBIN/server"`);
    const first = await install();
    rmSync(join(folder, "bin", "go"));

    const second = await install();

    expect(second).toEqual({ exitCode: 0, stdout: first.stdout, stderr: "" });
  });

  it("may run in several processes at once", async () => {
    putGo(`echo $$ > "$GOBIN/server"`);

    const ends = await Promise.all([install(), install(), install()]);

    const program = ends[0]!.stdout.trim();
    expect(ends.map(({ exitCode, stdout }) => [exitCode, stdout.trim()])).toEqual(
      Array(3).fill([0, program]),
    );
    expect(readFileSync(program, "utf8")).toMatch(/^\d+\n$/);
    expect(readdirSync(dirname(program))).toEqual(["server"]);
  });

  it("repeats what Go says when it fails, and leaves nothing half done", async () => {
    putGo(`echo half > "$GOBIN/server"; echo "module proxy: no such host" >&2; exit 7`);

    const { exitCode, stdout, stderr } = await install();

    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/go install \S+ failed \(exit code 7\):\nmodule proxy: no such host\n$/);
    expect(leftInCache()).toEqual([]);
  });

  it("says how long Go may take when it has to be ended", async () => {
    putGo("kill -TERM $$");

    const { exitCode, stderr } = await install();

    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/failed \(SIGTERM; it has 600000 ms\)\n$/)]);
    expect(leftInCache()).toEqual([]);
  });

  it("says which command it lacks", async () => {
    const { exitCode, stdout, stderr } = await install();

    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/needs Go on PATH \(Debian: apt-get install golang-go\)\n$/);
  });

  it("removes what a killed build left, and not what another one is building", async () => {
    putGo(`echo built > "$GOBIN/server"`);
    const cache = dirname((await install()).stdout.trim());
    rmSync(join(cache, "server"));
    for (const name of ["build-killed", "build-running"]) mkdirSync(join(cache, name));
    utimesSync(join(cache, "build-killed"), HOURS_AGO, HOURS_AGO);

    await install();

    expect(readdirSync(cache).sort()).toEqual(["build-running", "server"]);
  });

  /** A Go that knows two commands: `version`, and for `install` what the test says, in words of the shell alone. */
  function putGo(command: string): void {
    const script = `#!/bin/sh\nif [ "$1" = version ]; then echo go version go0.0 test/none; exit; fi\n${command}\n`;
    writeFileSync(join(folder, "bin", "go"), script, { mode: 0o755 });
  }

  /** Runs the script with nothing but that Go in reach, and a cache of its own. */
  function install(): Promise<Ended> {
    const env = { PATH: join(folder, "bin"), XDG_CACHE_HOME: join(folder, "cache") };
    return new Promise((resolve) => {
      execFile(process.execPath, [SCRIPT], { env }, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  function leftInCache(): string[] {
    const entries = readdirSync(join(folder, "cache"), { recursive: true, encoding: "utf8" });
    return entries.map((path) => basename(path)).filter((name) => /^(build-.*|server)$/.test(name));
  }
});
