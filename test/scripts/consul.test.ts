import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { FakeGo, shellScript } from "../support/fake-go.js";

const SCRIPT = fileURLToPath(new URL("../../scripts/consul.mjs", import.meta.url));
const PINS = readFileSync(new URL("../../scripts/consul/go.mod", import.meta.url), "utf8");
const GO_WANTED = /^go (\S+)/m.exec(PINS)![1]!;

/** The rest of a Go that builds a Consul which knows its version; `$out` is what `-o` says. */
const BUILD = `for word; do [ "$last" = -o ] && out="$word"; last="$word"; done
while read -r line; do echo "$line"; done > "$out" << END
${shellScript("echo Consul v0.0.0; echo more")}
END
/bin/chmod +x "$out"`;

describe.skipIf(process.platform === "win32")("the installer of Consul", () => {
  let go: FakeGo;
  beforeEach(() => {
    go = new FakeGo();
  });

  it("builds the release that go.mod pins, without a C compiler, and prints where it is", async () => {
    const asked = join(go.folder, "asked");
    go.put(`echo "$PWD CGO_ENABLED=$CGO_ENABLED go $*" > "${asked}"\n${BUILD}`, `go${GO_WANTED}`);

    const { exitCode, stdout, stderr } = await go.run(SCRIPT);

    expect(readFileSync(asked, "utf8")).toMatch(
      /\/scripts\/consul CGO_ENABLED=0 go build -mod=readonly .* github\.com\/hashicorp\/consul\n$/,
    );
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/^Consul v0\.0\.0\ninstalled in /m)]);
    expect(basename(dirname(stdout.trim()))).toMatch(/^consul-v\d+\.\d+\.\d+-/);
    expect(go.inCache()).toEqual(["consul"]);
  });

  it("needs no Go once it is built", async () => {
    go.put(BUILD, "go99.0");
    const first = await go.run(SCRIPT);
    go.remove();

    const second = await go.run(SCRIPT);

    expect(second).toEqual({ exitCode: 0, stdout: first.stdout, stderr: "" });
  });

  it("takes the Consul on PATH first, and needs no Go then", async () => {
    go.putProgram("consul", "exit 0");

    const ended = await go.run(SCRIPT);

    expect(ended).toEqual({ exitCode: 0, stdout: `${join(go.bin, "consul")}\n`, stderr: "" });
  });

  it("counts what Go fetches and compiles, as Go itself says nothing for minutes", async () => {
    const said = ["go: downloading example.com/a v1.0.0", "internal/abi", "example.com/a/b"];
    go.put(`echo "${said.join("\n")}" >&2\n${BUILD}`, "go99.0");

    const { stderr } = await go.run(SCRIPT);

    expect(stderr).toMatch(/^\d+ s: 1 modules fetched, 2 packages compiled$/m);
    expect(stderr).not.toContain("example.com/a");
  });

  it("repeats what Go says when it fails, without the progress, and leaves nothing half done", async () => {
    go.put(`${BUILD}\necho "internal/abi\n# example.com/a\na.go:1: undefined: b" >&2; exit 1`, "go99.0");

    const { exitCode, stdout, stderr } = await go.run(SCRIPT);

    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(
      /go build .* failed \(exit code 1\):\n# example\.com\/a\na\.go:1: undefined: b\n$/,
    );
    expect(go.inCache()).toEqual([]);
  });

  it("installs no program that does not start", async () => {
    go.put(`${BUILD}\necho 'echo wrong machine >&2; exit 3' > "$out"`, "go99.0");

    const { exitCode, stderr } = await go.run(SCRIPT);

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/consul version failed \(exit code 3\):\nwrong machine\n$/);
    expect(go.inCache()).toEqual([]);
  });

  it("says which Go it needs where there is none", async () => {
    const { exitCode, stdout, stderr } = await go.run(SCRIPT);

    expect([exitCode, stdout]).toEqual([1, ""]);
    expect(stderr).toBe(`Go ${GO_WANTED} or later has to be on PATH (Debian: apt-get install golang-go)\n`);
    expect(go.inCache()).toEqual([]);
  });

  it.each([`go${GO_WANTED}`, "go1.99rc1", "devel go2.0-0123abc"])("is content with %s", async (version) => {
    go.put(BUILD, version);

    const { exitCode, stderr } = await go.run(SCRIPT);

    expect([exitCode, stderr]).toEqual([0, expect.not.stringContaining("older")]);
  });

  it.each(["go1.9.7", "go1.25", "go1.25.6"])("has %s fetch the Go that go.mod wants", async (version) => {
    const toolchain = unpackedToolchain(`[ "$GOROOT" = "${go.folder}/toolchain" ] || exit 9\n${BUILD}`);
    const fetch = `echo "$*" > "${go.folder}/asked"; echo '{"Dir": "${toolchain}"}'`;
    go.put(`if [ "$1" = env ]; then echo plan9; echo mips; else ${fetch}; fi`, version);

    const { exitCode, stderr } = await go.run(SCRIPT);

    expect([exitCode, stderr]).toEqual([0, expect.stringContaining(`${version} test/none is older than`)]);
    expect(readFileSync(join(go.folder, "asked"), "utf8")).toBe(
      `mod download -json golang.org/toolchain@v0.0.1-go${GO_WANTED}.plan9-mips\n`,
    );
    expect(modeOf(join(toolchain, "pkg", "tool", "plan9_mips", "compile"))).toBe(0o755);
    expect(go.inCache()).toEqual(["consul"]);
  });

  it("says that its Go is too old when a later one cannot be fetched", async () => {
    go.put(
      `if [ "$1" = env ]; then echo plan9; echo mips; else echo no such host >&2; exit 1; fi`,
      "go1.19.8",
    );

    const { exitCode, stderr } = await go.run(SCRIPT);

    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /go version go1\.19\.8 test\/none is older than \S+, and fetching that failed: .*:\nno such host\n$/,
    );
  });

  /** As a module is unpacked: nothing may be run. */
  function unpackedToolchain(command: string): string {
    const folder = join(go.folder, "toolchain");
    for (const path of ["bin", "pkg/tool/plan9_mips"]) mkdirSync(join(folder, path), { recursive: true });
    writeFileSync(join(folder, "bin", "go"), shellScript(command), { mode: 0o444 });
    writeFileSync(join(folder, "pkg", "tool", "plan9_mips", "compile"), "", { mode: 0o444 });
    return folder;
  }

  function modeOf(path: string): number {
    return statSync(path).mode & 0o777;
  }
});
