import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Holdfast } from "../../src/holdfast.js";
import { configErrorOf } from "../support/config-error.js";
import { ConfigFolder } from "./config-folder.js";

const PEM = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
  type: "pkcs8",
  format: "pem",
}) as string;
const BASE64 = PEM.replace(/-----.*-----|\n/g, "");

/** The key as it may be pasted, or come out of a variable. */
const SPELLINGS: readonly (readonly [string, string])[] = [
  ["as it is", PEM],
  ["in one line", PEM.replaceAll("\n", " ")],
  ["with escaped line breaks", PEM.replaceAll("\n", "\\n")],
  ["in one word", PEM.replaceAll("\n", "")],
  ["without its first line", PEM.split("\n").slice(1).join("\n")],
  ["without its first two lines", PEM.split("\n").slice(2).join("\n")],
  ["as base64 alone", BASE64],
];
const PLACES: readonly (readonly [string, (pem: string) => unknown])[] = [
  ["keyFile", (keyFile) => ({ certFile: "cert.pem", keyFile })],
  ["certFile", (certFile) => ({ certFile, keyFile: "key.pem" })],
  ["caFile", (caFile) => ({ caFile })],
  ["tls itself", (tls) => tls],
  ["a list of files", (pem) => ({ caFile: [pem] })],
  ["an unknown key", (key) => ({ key })],
];
const CASES = PLACES.flatMap(([place, tls]) =>
  SPELLINGS.map(([spelling, pem]) => [place, spelling, tls(pem)] as const),
);

/** Twelve characters of it in a row are more than chance. */
function showsKey(error: unknown): boolean {
  const text = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}`;
  return Array.from({ length: BASE64.length - 12 }, (_, at) => BASE64.slice(at, at + 12)).some((part) =>
    text.includes(part),
  );
}

let folder: ConfigFolder;
beforeEach(() => {
  folder = new ConfigFolder();
});
afterEach(() => folder.remove());

describe("a private key in the place of a path stays out of the error", () => {
  it.each(CASES)("in %s, %s", async (_place, _spelling, tls) => {
    const config = { channels: { users: { target: "a:1", tls } } };

    const inCode = configErrorOf(() => Holdfast.fromObject(config as object));
    const inFile = await Holdfast.fromFile(folder.write("holdfast.json", config)).catch((error) => error);

    expect(inCode.details).toContain("channels.users.tls");
    expect([showsKey(inCode), showsKey(inFile)]).toEqual([false, false]);
  });

  it("and the error says what belongs there", () => {
    const tls = { certFile: "none.pem", keyFile: PEM };

    const { details } = configErrorOf(() =>
      Holdfast.fromObject({ channels: { users: { target: "a:1", tls } } }),
    );

    expect(details).toContain("channels.users.tls.keyFile: holds PEM text; allowed: the path of a file");
    expect(details).toContain('channels.users.tls.certFile is "none.pem": cannot be read: ENOENT: ');
  });

  it("also when the file that holds it has a mistake of syntax", async () => {
    const yaml = `channels:\n  users:\n    tls:\n      keyFile: ${PEM}`;
    const json = `{"channels": {"users": {"tls": {"keyFile": ${PEM}}}}}`;

    for (const file of [folder.write("a.yaml", yaml), folder.write("a.json", json)]) {
      const error = await Holdfast.fromFile(file).catch((error) => error);

      expect(error).toMatchObject({ reason: "CONFIG_INVALID" });
      expect(showsKey(error)).toBe(false);
    }
  });
});

it("cuts a path that is too long for the system", () => {
  const tls = { caFile: `${"x/".repeat(5_000)}ca.pem` };

  const { details } = configErrorOf(() =>
    Holdfast.fromObject({ channels: { users: { target: "a:1", tls } } }),
  );

  expect(details).toContain("cannot be read: ENAMETOOLONG: ");
  expect(details.length).toBeLessThan(500);
});
