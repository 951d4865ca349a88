import { describe, expect, it } from "vitest";
import { parseTarget } from "../../../src/discovery/index.js";

describe("a file target", () => {
  it.each([
    ["file:///etc/users.yaml", "/etc/users.yaml", "file:///etc/users.yaml"],
    ["FILE:///etc/users.json", "/etc/users.json", "file:///etc/users.json"],
    ["file:/etc/users.yml", "/etc/users.yml", "file:///etc/users.yml"],
    ["file://localhost/etc/users.yml", "/etc/users.yml", "file:///etc/users.yml"],
    ["file:////etc//users", "/etc/users", "file:///etc/users"],
    ["file:///etc/./x/../users", "/etc/users", "file:///etc/users"],
    ["file:///etc/our%20users.yaml", "/etc/our users.yaml", "file:///etc/our%20users.yaml"],
    ["file:///etc/our users.yaml", "/etc/our users.yaml", "file:///etc/our%20users.yaml"],
    ["file:///etc/%C3%BC%3F%23%25.yaml", "/etc/ü?#%.yaml", "file:///etc/%C3%BC%3F%23%25.yaml"],
  ])("%s is the file %s", (target, path, canonical) => {
    const parsed = parseTarget(target);

    expect(parsed).toEqual({ ok: true, scheme: "file", path, canonical });
  });

  it.each([
    [
      "file:users.yaml",
      'the target "file:users.yaml" has a relative path; write the whole one, file:///path/endpoints.yaml',
    ],
    ["file:./users.yaml", "has a relative path"],
    [
      "file://etc/users.yaml",
      'names the host "etc", and only files of this machine are read; write three slashes, file:///etc/users.yaml',
    ],
    ["file://users.yaml", "write three slashes, file:///users.yaml"],
    ["file://C:/users.yaml", 'names the host "C:"'],
    ["file:///", 'the target "file:///" names no file; write file:///path/endpoints.yaml'],
    ["file:", "names no file"],
    ["file:///etc/", 'the target "file:///etc/" names a folder; write the path of a file'],
    ["file:///etc/users.yaml?poll=1", 'has "?"; write %3F where it is part of the path'],
    ["file:///etc/users.yaml#x", 'has "#"; write %23 where it is part of the path'],
    ["file:///etc\\users.yaml", "write %5C where it is part of the path"],
    ["file:///etc/us\ners.yaml", "write %0A where it is part of the path"],
    [
      "file:///etc/100%.yaml",
      "is no file of this machine; allowed: an absolute path, with % only before two",
    ],
    ["file:///etc/a%2Fb.yaml", "no encoded slash"],
    ["file:///etc/a%00b.yaml", "has %00, which no path has"],
  ])("%j is refused, and says what to write", (target, problem) => {
    const parsed = parseTarget(target);

    expect(parsed).toEqual({ ok: false, problems: [expect.stringContaining(problem)] });
  });

  it("is no file where a port follows: a host may be called so", () => {
    expect(parseTarget("file:8080")).toMatchObject({ ok: true, scheme: "dns", host: "file", port: 8080 });
  });
});
