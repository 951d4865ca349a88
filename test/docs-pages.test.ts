/** Pages of docs/ that list what the source has: nothing is left out of them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Holdfast } from "holdfast";
import { describe, expect, it } from "vitest";
import { placesIn } from "../src/config/json-schema.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = (name: string) => readFileSync(join(root, "docs", name), "utf8");

/** The part of a page below a heading of the second level. */
function section(text: string, heading: string): string {
  const [, below = ""] = text.split(`\n## ${heading}\n`);
  return below.split("\n## ")[0] ?? "";
}

/** The keys of a group of options, each with those below it. */
function keysOf(group: string): string[] {
  const keys = placesIn(Holdfast.jsonSchema(), `channels.*.${group}`).flatMap((schema) => {
    const forms = [schema, ...(["anyOf", "oneOf"].flatMap((key) => schema[key] ?? []) as (typeof schema)[])];
    return forms.flatMap(({ properties }) => Object.keys(properties ?? {}));
  });
  return keys.flatMap((key) => [key, ...keysOf(`${group}.${key}`).map((below) => `${key}.${below}`)]);
}

describe("docs/health-and-breakers.md", () => {
  const text = page("health-and-breakers.md");

  it.each([
    ["breaker", "Breakers", 14],
    ["outlierEjection", "Outlier ejection", 11],
    ["health", "Health", 4],
  ])("has a row for every key of %s", (group, heading, least) => {
    const rows = section(text, heading);
    const keys = keysOf(group).filter((key) => keysOf(`${group}.${key}`).length === 0);

    expect(keys.length).toBeGreaterThanOrEqual(least);
    // A key that two groups share may have one row for both.
    const isMissing = (key: string) =>
      ![key, `.${key.split(".").at(-1)}`].some((name) => rows.includes(`| \`${name}\``));
    expect(keys.filter(isMissing)).toEqual([]);
  });

  it("has a row for every code of a process warning, and no others", () => {
    const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" });
    const source = files
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(root, "src", name), "utf8"));
    // The one variable of the environment has the name of its warning.
    const codes = new Set(source.join("\n").match(/(?<=")HOLDFAST_[A-Z_]+(?=")/g));
    const rows = section(text, "Process warnings").match(/(?<=\n\| `)HOLDFAST_[A-Z_]+/g) ?? [];

    expect(codes.size).toBeGreaterThan(5);
    expect(rows.toSorted()).toEqual([...codes].toSorted());
  });
});

it("docs/load-balancing.md has a row for every key of an endpoint that updateEndpoints takes", () => {
  const declared = readFileSync(join(root, "src/discovery/check-endpoints.ts"), "utf8");
  const [, shape = ""] = /endpointSchema = z\.strictObject\(\{(.*?)\n\}\)/s.exec(declared) ?? [];
  const keys = [...shape.matchAll(/^ {2}(\w+):/gm)].map(([, key]) => key);
  const rows = section(page("load-balancing.md"), "Where they come from");

  expect(keys).toContain("weight");
  expect(keys.filter((key) => !rows.includes(`| \`${key}\` |`))).toEqual([]);
});

it("docs/discovery.md has a row for every key of discovery", () => {
  const text = page("discovery.md");
  const keys = keysOf("discovery").filter((key) => !/\.tls\./.test(key));
  const rowOf = (key: string) => `| \`${key.replace(/^(consul|etcd)\./, "")}\``;

  expect(keys.length).toBeGreaterThan(15);
  const isMissing = (key: string) => !text.includes(rowOf(key)) && !["consul", "etcd"].includes(key);
  expect(keys.filter(isMissing)).toEqual([]);
});
