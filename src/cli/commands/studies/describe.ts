import { extname } from "node:path";
import {
  type Component,
  components,
  describeFields,
  findComponents,
} from "../../../config/index.js";
import { methodComponents, methodDefinitions } from "../../../methods/index.js";
import { describeModule } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

/**
 * `pupil describe [kind] [name]`: one component in full, or a list of them; of those that a file
 * exports with `pupil describe <file> [kind] [name]`.
 */
export async function describeCommand(words: readonly string[]): Promise<void> {
  const [first = "", ...rest] = words;
  const isFile = /^\.[mc]?[jt]sx?$/.test(extname(first));
  const builtIn = [...components, ...methodComponents(methodDefinitions)];
  const found = isFile
    ? findComponents(rest, await describeModule(first))
    : findComponents(words, builtIn);
  const [only, ...others] = found;
  const lines = only && others.length === 0 ? describeComponent(only) : listComponents(found);
  writeLine(process.stdout, lines.join("\n"));
}

function listComponents(components: readonly Component[]): string[] {
  const width = Math.max(...components.map((component) => component.name.length));
  const kinds = [...new Set(components.map((component) => component.kind))];
  return kinds.flatMap((kind) => [
    `${kind}:`,
    ...components
      .filter((component) => component.kind === kind)
      .map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
  ]);
}

function describeComponent({ kind, name, summary, details, schema }: Component): string[] {
  const fields = describeFields(schema).flatMap((field) => {
    const fallback = field.required ? "required" : `default ${field.default ?? "none"}`;
    return [`  ${field.path}  (${field.type}; ${fallback})`, `      ${field.description}`];
  });
  return [`${name} (${kind}): ${summary}`, ...details.map((line) => `  ${line}`), "", ...fields];
}
