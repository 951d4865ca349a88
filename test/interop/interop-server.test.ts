import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeGo } from "../support/fake-go.js";

const SCRIPT = fileURLToPath(new URL("../../scripts/interop-server.mjs", import.meta.url));
const HOURS_AGO = new Date(Date.now() - 3 * 3_600_000);

describe.skipIf(process.platform === "win32")("the installer of grpc-go's server", () => {
  let go: FakeGo;
  beforeEach(() => {
    go = new FakeGo();
  });

  it("builds a pinned release without a C compiler or another Go, and prints where it is", async () => {
    go.put(`echo "CGO_ENABLED=$CGO_ENABLED GOTOOLCHAIN=$GOTOOLCHAIN go $*" > "$GOBIN/server"`);

    const { exitCode, stdout, stderr } = await go.run(SCRIPT);

    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("with go version go0.0 test/none")]);
    expect(readFileSync(stdout.trim(), "utf8")).toMatch(
      /^CGO_ENABLED=0 GOTOOLCHAIN=local go install google\.golang\.org\/grpc\/interop\/server@v\d+\.\d+\.\d+\n$/,
    );
    expect(readdirSync(dirname(stdout.trim()))).toEqual(["server"]);
  });

  it("needs no Go once it is built", async () => {
    go.put(`echo built > "$GOBIN/server"`);
    const first = await go.run(SCRIPT);
    go.remove();

    const second = await go.run(SCRIPT);

    expect(second).toEqual({ exitCode: 0, stdout: first.stdout, stderr: "" });
  });

  it("may run in several processes at once", async () => {
    go.put(`echo $$ > "$GOBIN/server"`);

    const ends = await Promise.all(Array.from({ length: 3 }, () => go.run(SCRIPT)));

    const program = ends[0]!.stdout.trim();
    expect(ends.map(({ exitCode, stdout }) => [exitCode, stdout.trim()])).toEqual(
      Array(3).fill([0, program]),
    );
    expect(readFileSync(program, "utf8")).toMatch(/^\d+\n$/);
    expect(readdirSync(dirname(program))).toEqual(["server"]);
  });

  it("repeats what Go says when it fails, and leaves nothing half done", async () => {
    go.put(`echo half > "$GOBIN/server"; echo "module proxy: no such host" >&2; exit 7`);

    const { exitCode, stdout, stderr } = await go.run(SCRIPT);

    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/go install \S+ failed \(exit code 7\):\nmodule proxy: no such host\n$/);
    expect(go.inCache()).toEqual([]);
  });

  it("says how long Go may take when it has to be ended", async () => {
    go.put("kill -TERM $$");

    const { exitCode, stderr } = await go.run(SCRIPT);

    expect([exitCode, stderr]).toEqual([1, expect.stringMatching(/failed \(SIGTERM; it has 600000 ms\)\n$/)]);
    expect(go.inCache()).toEqual([]);
  });

  it("says which command it lacks", async () => {
    const { exitCode, stdout, stderr } = await go.run(SCRIPT);

    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/needs Go on PATH \(Debian: apt-get install golang-go\)\n$/);
  });

  it("removes what a killed build left, and not what another one is building", async () => {
    go.put(`echo built > "$GOBIN/server"`);
    const cache = dirname((await go.run(SCRIPT)).stdout.trim());
    rmSync(join(cache, "server"));
    for (const name of ["build-killed", "build-running"]) mkdirSync(join(cache, name));
    utimesSync(join(cache, "build-killed"), HOURS_AGO, HOURS_AGO);

    await go.run(SCRIPT);

    expect(readdirSync(cache).sort()).toEqual(["build-running", "server"]);
  });
});
