/**
 * Writes the generated parts of the docs: everything between `<!-- generated: name -->` and
 * `<!-- end -->`. With `--check` it writes nothing and fails if a page is out of date.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { components, describeFields } from "../../src/config/index.js";
import {
  describeLoss,
  type LossDefinition,
  type LossKind,
  lossesByKind,
  lossFacts,
} from "../../src/losses/index.js";
import { type MethodDefinition, methodDefinitions } from "../../src/methods/index.js";
import { comparisonText, methodReports, readVerdict, settingRows } from "../../src/node/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, "utf8");

const row = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(header), row(header.map(() => "---")), ...rows.map(row)].join("\n");
}

const code = (text: string) => `\`${text}\``;

const kindTitles: Record<LossKind, string> = {
  token: "Token distributions",
  sparse: "Sparse teachers",
  sampled: "Sampled tokens",
  pairs: "Pairs",
  lists: "Lists",
  representations: "Representations",
};

/** Losses by kind, for the README; the page on losses has the rest. */
function lossTable(): string {
  return table(
    ["Kind", "Losses"],
    Object.entries(lossesByKind).map(([kind, losses]) => [
      kindTitles[kind as LossKind],
      losses.map(({ name }) => code(name)).join(", "),
    ]),
  );
}

function lossReference(): string {
  const kinds = Object.entries(lossesByKind) as [LossKind, readonly LossDefinition[]][];
  return kinds
    .filter(([, losses]) => losses.length > 0)
    .map(([kind, losses]) => {
      const sections = losses.map(lossSection);
      return [`## ${kindTitles[kind]}`, ...sections].join("\n\n");
    })
    .join("\n\n");
}

function lossSection(definition: LossDefinition): string {
  const loss = describeLoss(definition);
  const options = loss.fields.map((field) => [
    code(field.name),
    field.type,
    code(JSON.stringify(field.default)),
    field.description,
  ]);
  return [
    `### ${loss.name}`,
    "",
    loss.summary,
    "",
    ...lossFacts(loss, code).map(([label, text]) => `- ${label}: ${text}`),
    `- File: [${loss.file}](../${loss.file})`,
    "",
    table(["Option", "Type", "Default", "Meaning"], options),
  ].join("\n");
}

function configReference(): string {
  return components
    .filter(({ kind }) => kind !== "loss")
    .map(({ kind, name, summary, schema }) => {
      const fields = describeFields(schema).map((field) => [
        code(field.path),
        field.type,
        field.required ? "required" : code(field.default ?? "none"),
        field.description,
      ]);
      const title = `### ${name} (${kind})`;
      return `${title}\n\n${summary}\n\n${table(["Field", "Type", "Default", "Meaning"], fields)}`;
    })
    .join("\n\n");
}

/** An example file as a code block, without its licence of being run by the tests. */
function example(path: string, language = "ts"): string {
  const text = read(path).replaceAll(/^ *\/\/ #(end)?region.*\n/gm, "");
  return `\`\`\`${language}\n${text.trim()}\n\`\`\``;
}

/** What lies between `// #region name` and the next `// #endregion` of an example, without its indent. */
function region(path: string, name: string): string {
  const found = read(path).match(
    new RegExp(`^( *)// #region ${name}\\n([\\s\\S]*?)^ *// #endregion$`, "m"),
  );
  if (found === null) throw new Error(`${path} has no region "${name}".`);
  const [, indent = "", lines = ""] = found;
  const text = lines.replaceAll(new RegExp(`^${indent}`, "gm"), "").trim();
  return `\`\`\`ts\n${text}\n\`\`\``;
}

/** Methods lie in rooms of src/methods, each in a file of its name. */
function methodFile(name: string): string {
  const room = readdirSync(`${root}src/methods`).find((entry) =>
    existsSync(`${root}src/methods/${entry}/${name}.ts`),
  );
  return `src/methods/${room}/${name}.ts`;
}

const provenance: Record<string, string> = {
  SRC: "the authors' own repository or paper",
  "3P": "code or notes of others",
  ABS: "the abstract or a summary",
  REC: "not verified: our reconstruction",
};

/** Of every method: paper, file, claim, verdict with intervals, settings beside the paper's. */
async function methodReference(): Promise<string> {
  const sections = await Promise.all(methodDefinitions.map(methodSection));
  const tags = Object.entries(provenance).map(([tag, text]) => `${code(tag)} ${text}`);
  return [`Where a value of a paper is known from: ${tags.join("; ")}.`, ...sections].join("\n\n");
}

async function methodSection(method: MethodDefinition): Promise<string> {
  const { name, number, title, paper, claim, fidelity, note, fairness } = method;
  const verdict = await readVerdict(name);
  const page = existsSync(join(methodReports, name, "README.md"));
  const found = (verdict?.comparisons ?? []).map((part) => `  - ${comparisonText(part)}`);
  const settings = settingRows(method).map(({ name: field, ours, paper: theirs, source }) => [
    code(field),
    ours === "—" ? ours : code(ours),
    theirs ?? "—",
    source ?? "—",
  ]);
  return [
    `## ${title}`,
    "",
    `- Paper: [${paper.citation}](${paper.url})${number === undefined ? "" : `, number ${number}`}`,
    `- File: [${methodFile(name)}](../${methodFile(name)}); ${code(`npx pupil ablate ${name} seeds=3`)}`,
    `- Claim: ${claim}`,
    `- Verdict: ${verdict === undefined ? "not run" : `**${verdict.result}**`}${page ? `, [report](../examples/methods/${name}/README.md)` : ""}`,
    ...found,
    `- ${fidelity === "faithful" ? "Faithful" : "Proxy"}${note === undefined ? "" : `: ${note}`}`,
    `- Equal in all arms: ${fairness.equal}. ${fairness.note}`,
    "",
    table(["Setting", "Here", "Paper", "Known from"], settings),
  ].join("\n");
}

const parts: Record<string, () => string | Promise<string>> = {
  "method-reference": methodReference,
  "method-example": () => example("examples/custom-method/label-smoothing.ts"),
  "loss-table": lossTable,
  "loss-reference": lossReference,
  "config-reference": configReference,
  "own-trainer": () => example("examples/own-loop/trainer.ts"),
  "own-teacher": () => example("examples/own-loop/teacher.ts"),
  "starter-text": () => example("examples/starters/text.jsonc", "jsonc"),
  "starter-jsonl": () => example("examples/starters/jsonl.jsonc", "jsonc"),
  "starter-on-policy": () => example("examples/starters/on-policy.jsonc", "jsonc"),
  "library-example": () => example("examples/library-example.ts"),
  ...Object.fromEntries(
    [
      ...["isolation", "config"].map((name) => ["vite.config.ts", name]),
      ...["worker", "hidden", "download"].map((name) => ["page.ts", name]),
      ...["start", "load", "loop", "open", "save"].map((name) => ["worker.ts", name]),
    ].map(([file = "", name = ""]) => [
      `browser-${name}`,
      () => region(`examples/browser/${file}`, name),
    ]),
  ),
  "library-excerpt": () => region("examples/library-example.ts", "distil"),
  "getting-started-distil": () => example("examples/getting-started/distil.jsonc", "jsonc"),
  "getting-started-loss": () => example("examples/getting-started/my-loss.mjs", "js"),
  "getting-started-verifier": () => example("examples/getting-started/my-verifier.mjs", "js"),
  "getting-started-verified": () => example("examples/getting-started/verified.jsonc", "jsonc"),
  "getting-started-page": () =>
    [
      example("examples/getting-started/page/index.html", "html"),
      example("examples/getting-started/page/page.js", "js"),
    ].join("\n\n"),
};

const pages = [
  ...["README.md", "docs/guide.md", "docs/losses.md", "docs/config.md", "docs/methods.md"],
  ...[
    "docs/extending/method.md",
    "docs/extending/loop.md",
    "docs/browser.md",
    "docs/getting-started.md",
    "docs/library.md",
  ],
];
const pattern = /(<!-- generated: ([\w-]+) -->\n)[\s\S]*?(<!-- end -->)/g;
const check = process.argv.includes("--check");
const stale: string[] = [];

for (const page of pages) {
  const text = read(page);
  const made = new Map<string, string>();
  for (const [, , name = ""] of text.matchAll(pattern)) {
    const make = parts[name];
    if (make === undefined) throw new Error(`${page} asks for unknown part "${name}".`);
    made.set(name, await make());
  }
  const fresh = text.replace(
    pattern,
    (_match, start: string, name: string, end: string) => `${start}${made.get(name)}\n${end}`,
  );
  if (fresh === text) continue;
  if (check) stale.push(page);
  else writeFileSync(`${root}${page}`, fresh);
}

if (stale.length > 0) {
  console.error(`Out of date: ${stale.join(", ")}. Run npm run docs.`);
  process.exitCode = 1;
}
