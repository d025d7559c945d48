/**
 * Writes `api/*.txt`: every public name with its type, one page for each entry of the package. With `--check` it
 * writes nothing and fails where a page is out of date, so that the public surface changes only on purpose. Fields of zod
 * schemas are not in it: docs/config.md has them, and is checked too.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = join(root, "api");
const index = join(root, "src/index.ts");
const subjects = readdirSync(join(root, "src/api")).map((name) => join(root, "src/api", name));

const config = ts.readConfigFile(join(root, "tsconfig.build.json"), ts.sys.readFile);
const { options } = ts.parseJsonConfigFileContent(config.config, ts.sys, root);
const program = ts.createProgram([index, ...subjects], options);
const checker = program.getTypeChecker();
const printer = ts.createPrinter({ removeComments: true });
const style = ts.TypeFormatFlags.NoTruncation | ts.TypeFormatFlags.WriteArrowStyleSignature;

/** What an entry exports, by name, as the symbols that were declared. */
function exportsOf(entry: string): Map<string, ts.Symbol> {
  const file = program.getSourceFile(entry);
  const module = file && checker.getSymbolAtLocation(file);
  if (module === undefined) throw new Error(`${entry} exports nothing.`);
  const found = checker.getExportsOfModule(module).map((symbol): [string, ts.Symbol] => {
    const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    return [symbol.name, isAlias ? checker.getAliasedSymbol(symbol) : symbol];
  });
  return new Map(found.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const oneLine = (text: string) =>
  withoutSchemas(text.replaceAll(/import\("[^"]*"\)\./g, "").replaceAll(/\s+/g, " "));

/** Types of zod written as `zod`: they repeat every field of a schema. */
function withoutSchemas(text: string): string {
  const start = /\b(z\.)?Zod\w+(<|\b)/.exec(text);
  if (start === null) return text;
  let end = start.index + start[0].length;
  for (let depth = start[2] === "<" ? 1 : 0; depth > 0; end++) {
    if (text[end] === "<") depth++;
    if (text[end] === ">" && text[end - 1] !== "=") depth--;
  }
  return `${text.slice(0, start.index)}zod${withoutSchemas(text.slice(end))}`;
}

/** A name with its type, without what only the inside sees. */
function declared(name: string, symbol: ts.Symbol): string {
  const at = symbol.declarations?.[0];
  if (at === undefined) throw new Error(`${name} is declared nowhere.`);
  if (ts.isInterfaceDeclaration(at) || ts.isTypeAliasDeclaration(at)) {
    return oneLine(printer.printNode(ts.EmitHint.Unspecified, at, at.getSourceFile()));
  }
  if (ts.isClassDeclaration(at)) return classText(name, symbol, at);
  const type = checker.getTypeOfSymbolAtLocation(symbol, at);
  if (type.getProperty("_zod") !== undefined) return `const ${name}: zod schema`;
  return oneLine(`const ${name}: ${checker.typeToString(type, at, style)}`);
}

/** Members that are named by a symbol are numbered by the compiler, differently after any change. */
const memberName = ({ name }: ts.Symbol) => name.replace(/^__@(\w+)@\d+$/, "[Symbol.$1]");

function classText(name: string, symbol: ts.Symbol, at: ts.ClassDeclaration): string {
  const isPrivate = (member: ts.Symbol) =>
    member.declarations?.some(
      (node) =>
        ts.getCombinedModifierFlags(node as ts.Declaration) &
        (ts.ModifierFlags.Private | ts.ModifierFlags.Protected),
    );
  const line = (member: ts.Symbol, prefix: string) =>
    `  ${prefix}${oneLine(`${memberName(member)}: ${checker.typeToString(checker.getTypeOfSymbolAtLocation(member, at), at, style)}`)}`;
  const made = checker.getTypeOfSymbolAtLocation(symbol, at);
  const statics = checker.getPropertiesOfType(made).filter(({ name }) => name !== "prototype");
  const own = checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol));
  const shown = (members: readonly ts.Symbol[]) =>
    members.filter((member) => !isPrivate(member) && !member.name.startsWith("#"));
  return [
    `class ${name}`,
    ...made
      .getConstructSignatures()
      .map((s) => `  new ${oneLine(checker.signatureToString(s, at, style))}`),
    ...shown(statics).map((member) => line(member, "static ")),
    ...shown(own).map((member) => line(member, "")),
  ].join("\n");
}

const pages = new Map<string, string>();
for (const entry of subjects) {
  const lines = [...exportsOf(entry)].map(([name, symbol]) => declared(name, symbol));
  pages.set(`${basename(entry, ".ts")}.txt`, `${lines.join("\n")}\n`);
}
// What the first entry exports has its type on the page of its subject.
const bySubject = new Map(subjects.flatMap((entry) => [...exportsOf(entry)]));
const ofIndex = [...exportsOf(index)].map(([name, symbol]) =>
  bySubject.has(name) ? name : declared(name, symbol),
);
pages.set("index.txt", `${ofIndex.join("\n")}\n`);

const isValue = (symbol: ts.Symbol) => (symbol.flags & ts.SymbolFlags.Value) !== 0;
/** Schemas have a description of every field, and definitions a summary, which the docs are made of. */
function describesItself(symbol: ts.Symbol): boolean {
  const at = symbol.declarations?.[0];
  const type = at && checker.getTypeOfSymbolAtLocation(symbol, at);
  return ["_zod", "summary"].some((name) => type?.getProperty(name) !== undefined);
}
const undocumented = [index, ...subjects].flatMap((entry) =>
  [...exportsOf(entry)]
    .filter(([, symbol]) => isValue(symbol) && !describesItself(symbol))
    .filter(([, symbol]) => symbol.getDocumentationComment(checker).length === 0)
    .map(([name]) => `${basename(entry)}: ${name}`),
);
if (undocumented.length > 0) fail(`Public, but without a docstring:\n${undocumented.join("\n")}`);

const target = (name: string) => join(folder, name);
const isSame = (name: string, text: string) =>
  existsSync(target(name)) && readFileSync(target(name), "utf8") === text;
const changed = [...pages].filter(([name, text]) => !isSame(name, text));
const gone = existsSync(folder) ? readdirSync(folder).filter((name) => !pages.has(name)) : [];
const names = [...changed.map(([name]) => name), ...gone].map((name) => `api/${name}`);
if (process.argv.includes("--check")) {
  if (names.length > 0) {
    fail(
      `The public surface is not what ${names.join(", ")} say. If that is meant: npm run api, and commit them.`,
    );
  }
} else {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of changed) writeFileSync(target(name), text);
  for (const name of gone) rmSync(target(name));
}

function fail(text: string): void {
  console.error(text);
  process.exitCode = 1;
}
