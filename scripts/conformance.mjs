/**
 * Writes `docs/conformance.md`: each rule of gRPC's semantics, and the tests whose titles name it. The rules and what
 * is to be said beside them stand in `docs/conformance-notes.yaml`.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { posix } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { parseAst } from "vitest/node";
import { parse } from "yaml";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const NOTES = "docs/conformance-notes.yaml";
const PAGE = "docs/conformance.md";
const SUITES = ["describe"];
const TESTS = ["it", "itWhere", "test"];

/** Every title below `test/` that names a rule. */
export function readTitles() {
  return readdirSync(`${ROOT}test`, { recursive: true, encoding: "utf8" })
    .map((name) => posix.join("test", name.replaceAll("\\", "/")))
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .flatMap((path) => titlesIn(path, readFileSync(`${ROOT}${path}`, "utf8")));
}

export function readNotes() {
  return parse(readFileSync(`${ROOT}${NOTES}`, "utf8"));
}

/** The page as it stands in the repository. */
export function readPage() {
  return readFileSync(`${ROOT}${PAGE}`, "utf8");
}

/** All titles of one file that name a rule; a suite's title holds for every test in it. */
export function titlesIn(path, text) {
  // Parsing all files costs seconds, and most name no rule.
  if (!/\bR\d/.test(text)) return [];
  const program = parseAst(text, { lang: "ts", astType: "ts" });
  const constants = new Map([...walk(program)].flatMap(constantOf));
  return [...walk(program)].flatMap((node) => {
    const kind = kindOf(node);
    const title = kind === null ? null : textOf(node.arguments[0], constants);
    const rules = title === null ? [] : rulesIn(title);
    if (rules.length === 0) return [];
    const tests = kind === "test" ? 1 : [...walk(node)].filter((inner) => kindOf(inner) === "test").length;
    return [{ path, title, rules, isSuite: kind === "suite", tests }];
  });
}

/** The numbers of the rules that a title names. */
function rulesIn(title) {
  return [...title.matchAll(/\bR(\d+)\b/g)].map(([, number]) => Number(number));
}

/** What is wrong with titles or notes: nobody proves a rule, or nobody knows it. */
export function problemsOf(notes, titles) {
  const rules = notes.sections.flatMap((section) => Object.entries(section.rules));
  const numbers = new Set(rules.map(([rule]) => Number(rule.slice(1))));
  const unknown = titles.flatMap(({ path, title, rules: named }) =>
    named
      .filter((number) => !numbers.has(number) && !isElsewhere(notes, number))
      .map((number) => `${path}: "${title}" names R${number}, which is no rule`),
  );
  const empty = titles
    .filter(({ tests }) => tests === 0)
    .map(({ path, title }) => `${path}: "${title}" names a rule and has no test`);
  const open = rules.flatMap(([rule, { reason }]) => {
    const isProven = provenBy(titles, rule).length > 0;
    if (!isProven && reason === undefined) return [`${rule} has neither a test nor a reason in ${NOTES}`];
    if (isProven && reason !== undefined)
      return [`${rule} has tests and a reason for having none in ${NOTES}`];
    return [];
  });
  return [...open, ...unknown, ...empty];
}

/** Rules of later parts, which tests may name already. */
function isElsewhere({ elsewhere }, number) {
  return number >= elsewhere.from && number <= elsewhere.to;
}

function provenBy(titles, rule) {
  return titles.filter(({ rules }) => rules.includes(Number(rule.slice(1))));
}

/** The whole page. */
export function renderPage(notes, titles) {
  const rules = notes.sections.flatMap((section) => Object.keys(section.rules));
  const proven = rules.filter((rule) => provenBy(titles, rule).length > 0).length;
  const named = titles.filter(({ rules: own }) => own.some((number) => rules.includes(`R${number}`)));
  const sections = notes.sections.map(
    ({ title, rules: own }) =>
      `## ${title}\n\n| Rule | In short | Proven by |\n|---|---|---|\n` +
      Object.entries(own)
        .map(([rule, note]) => row(rule, note, provenBy(titles, rule)))
        .join(""),
  );
  const count = named.reduce((sum, { tests }) => sum + tests, 0);
  return `# Conformance

<!-- Written by \`npm run conformance\` from the titles of the tests and ${NOTES}. Do not edit. -->

gRPC's rules for retries, hedging, deadlines, cancellation, connections, health checks, outlier ejection, load balancing
and status codes, and the tests that prove each one here. "Here" says where Holdfast differs or goes further.

Rules with a test: ${proven} of ${rules.length}, in ${count} tests (a table of cases counts as one); the others say why not. A rule is named
in a title as \`(R14)\`; \`npm test\` fails when a rule has neither a test nor a reason, and when this page is stale.

${[...sections, elsewhereSection(notes, titles)].join("\n")}`;
}

function row(rule, said, titles) {
  const { says, note, reason } = typeof said === "string" ? { says: said } : said;
  const short = note === undefined ? says : `${says} *Here:* ${note}`;
  const proof = reason === undefined ? titles.map(linkTo).join("<br>") : reason;
  return `| ${rule} | ${short} | ${proof} |\n`;
}

function linkTo({ path, title, isSuite, tests }) {
  const count = isSuite ? ` (${tests} ${tests === 1 ? "test" : "tests"})` : "";
  return `[${inMarkdown(title)}](../${path})${count}`;
}

function elsewhereSection(notes, titles) {
  const named = titles.flatMap((title) =>
    title.rules.filter((number) => isElsewhere(notes, number)).map((number) => ({ number, title })),
  );
  const numbers = [...new Set(named.map(({ number }) => number))].sort((a, b) => a - b);
  const rows = numbers.map((rule) => {
    const links = named.filter(({ number }) => number === rule).map(({ title }) => linkTo(title));
    return `| R${rule} | ${links.join("<br>")} |\n`;
  });
  return `## ${notes.elsewhere.title}\n\n${notes.elsewhere.says}\n\n| Rule | Named by |\n|---|---|\n${rows.join("")}`;
}

/** The title as a sentence: without the rows it names, which stand beside it. */
function inMarkdown(title) {
  const names = "(?:[A-Z]\\d+(?:, )?)+";
  const bare = title.replace(new RegExp(`^${names}: | \\(${names}\\)$`, "g"), "");
  return bare.replace(/[\\`*_[\]<>|]/g, "\\$&").replaceAll("\n", " ");
}

function* walk(value) {
  if (Array.isArray(value)) {
    for (const item of value) yield* walk(item);
  } else if (typeof value === "object" && value !== null && typeof value.type === "string") {
    yield value;
    for (const child of Object.values(value)) if (typeof child === "object") yield* walk(child);
  }
}

/** Whether a node declares a suite or a test: `it(...)`, `it.each(...)(...)`, `describe.skipIf(...)(...)`. */
function kindOf(node) {
  if (node.type !== "CallExpression" || !isTitle(node.arguments[0])) return null;
  let callee = node.callee;
  while (callee.type !== "Identifier") {
    const inner = callee.callee ?? callee.object ?? callee.tag;
    if (inner === undefined) return null;
    callee = inner;
  }
  if (SUITES.includes(callee.name)) return "suite";
  return TESTS.includes(callee.name) ? "test" : null;
}

function isTitle(node) {
  return ["Literal", "TemplateLiteral", "Identifier"].includes(node?.type);
}

/** A title as it is written; what is filled in at run time shows as an ellipsis. */
function textOf(node, constants) {
  if (node.type === "Literal") return typeof node.value === "string" ? node.value : null;
  if (node.type === "TemplateLiteral") return node.quasis.map(({ value }) => value.cooked).join("…");
  return constants.get(node.name) ?? null;
}

function constantOf(node) {
  if (node.type !== "VariableDeclarator" || node.id.type !== "Identifier" || !isTitle(node.init)) return [];
  const text = textOf(node.init, new Map());
  return text === null ? [] : [[node.id.name, text]];
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [notes, titles] = [readNotes(), readTitles()];
  writeFileSync(`${ROOT}${PAGE}`, renderPage(notes, titles));
  const problems = problemsOf(notes, titles);
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
