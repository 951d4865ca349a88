import { readFileSync } from "node:fs";
import fc from "fast-check";
import { isReason } from "holdfast";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { Holdfast } from "../src/holdfast.js";
import { ConfigFolder, everyKeyObject } from "./config/config-folder.js";
import { ClientSockets } from "./support/client-sockets.js";
import { type LeakBaseline, leakBaseline } from "./support/leak-check.js";

/** Plaintext, so that everything is valid without certificates; those have tests of their own. */
const TEXT = readFileSync(new URL("config/every-key.yaml", import.meta.url), "utf8").replace(
  /^( +)tls: .*$/gm,
  "$1insecure: true",
);

type Json = Record<string, unknown>;
type Path = readonly string[];

const folder = new ConfigFolder();
afterAll(() => folder.remove());

let baseline: LeakBaseline;
beforeEach(async () => {
  baseline = await leakBaseline();
});
afterEach(() => baseline.expectClean());

/** Every place in the configuration, from the sections down. */
function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const below = Object.entries(value).flatMap(([key, entry]) => pathsOf(entry, [...path, key]));
  return path.length === 0 ? below : [path, ...below];
}

const paths = pathsOf(everyKeyObject(TEXT));
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    "",
    "x",
    [],
    {},
    [1],
    { x: 1 },
    Number.NaN,
    -1,
    0,
    0.5,
    1e300,
    -0,
  ),
  fc.integer(),
  fc.jsonValue(),
);

type Change = (parent: Json, key: string) => void;
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>((parent, key) => Reflect.deleteProperty(parent, key)),
  anyValue.map(
    (value): Change =>
      (parent, key) =>
        Object.assign(parent, { [key]: value }),
  ),
  fc.tuple(fc.nat(), fc.string({ maxLength: 2 })).map(
    ([at, letters]): Change =>
      (parent, key) => {
        const cut = at % (key.length + 1);
        Object.assign(parent, { [`${key.slice(0, cut)}${letters}${key.slice(cut + 1)}`]: parent[key] });
        Reflect.deleteProperty(parent, key);
      },
  ),
  fc.constantFrom(-1e9, -1, 1.5, 1e9, 1e16).map(
    (by): Change =>
      (parent, key) => {
        if (typeof parent[key] === "number") Object.assign(parent, { [key]: parent[key] * by });
      },
  ),
  fc.constantFrom("channel", "0", "retry", "__proto__").map(
    (name): Change =>
      (parent, key) => {
        Object.assign(parent, { [key]: JSON.parse(JSON.stringify({ [name]: parent[key] ?? 1 })) });
      },
  ),
);

const mutated = fc
  .array(fc.tuple(fc.constantFrom(...paths), change), { minLength: 1, maxLength: 3 })
  .map((changes) => {
    const config = everyKeyObject(TEXT);
    for (const [path, apply] of changes) {
      const parent = path
        .slice(0, -1)
        .reduce<unknown>((at, step) => (at as Json | undefined)?.[step], config);
      if (typeof parent === "object" && parent !== null) apply(parent as Json, path.at(-1)!);
    }
    return config;
  });

const damagedText = fc
  .array(
    fc.record({
      at: fc.nat(TEXT.length),
      cut: fc.nat(40),
      put: fc.oneof(
        fc.constantFrom(
          "",
          "\n",
          "\t",
          "{",
          "}",
          "]",
          ": ",
          "- ",
          "&a ",
          "*a",
          "<<: ",
          "!t ",
          "#",
          "'",
          '"',
          "---\n",
          "? ",
        ),
        fc.string({ unit: "binary", maxLength: 5 }),
      ),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((damage) =>
    damage.reduce((text, { at, cut, put }) => `${text.slice(0, at)}${put}${text.slice(at + cut)}`, TEXT),
  );

/** Makes all that a configuration names, and closes it. @returns whether it was accepted */
async function tryOut(open: () => Holdfast | Promise<Holdfast>, config?: Json): Promise<boolean> {
  let holdfast: Holdfast;
  try {
    holdfast = await open();
  } catch (error) {
    if (!isReason(error, "CONFIG_INVALID") || !/: \d+ problems?: ./s.test(error.details)) throw error;
    return false;
  }
  for (const name of Object.keys((config?.["channels"] as Json) ?? {})) holdfast.channel(name);
  for (const name of Object.keys((config?.["clerks"] as Json) ?? {})) holdfast.clerk(name);
  for (const name of Object.keys((config?.["raftPeers"] as Json) ?? {})) holdfast.raftPeers(name, { me: 0 });
  await holdfast.close({ drainMs: 0 });
  return true;
}

async function withoutSockets(work: () => Promise<void>): Promise<void> {
  const sockets = new ClientSockets();
  try {
    await work();
    expect(sockets.all).toEqual([]);
  } finally {
    sockets.close();
  }
}

it("accepts the configuration that the mutations start from", async () => {
  expect(await tryOut(() => Holdfast.fromObject(everyKeyObject(TEXT)), everyKeyObject(TEXT))).toBe(true);
});

it("answers 300 mutated configurations with the one typed error, or makes all they name, without a socket", async () => {
  const seen = { accepted: 0, refused: 0 };

  await withoutSockets(() =>
    fc.assert(
      fc.asyncProperty(mutated, async (config) => {
        const isAccepted = await tryOut(() => Holdfast.fromObject(config), config);
        seen[isAccepted ? "accepted" : "refused"] += 1;
      }),
      { numRuns: 300 },
    ),
  );

  // The generator is of no use when it finds only one side.
  expect(seen.accepted).toBeGreaterThan(10);
  expect(seen.refused).toBeGreaterThan(100);
}, 60_000);

it("answers 200 damaged texts with the one typed error, or reads them, without a socket", async () => {
  await withoutSockets(() =>
    fc.assert(
      fc.asyncProperty(damagedText, async (text) => {
        const file = folder.write("damaged.yaml", text);
        await tryOut(() => Holdfast.fromFile(file));
      }),
      { numRuns: 200 },
    ),
  );
}, 60_000);
