import { type Component, components, describeFields } from "../config/index.js";
import { oneOf, PupilError } from "../errors/index.js";

/** `pupil describe [component]`. */
export function describeCommand(name: string | undefined): void {
  const lines = name === undefined ? listComponents() : describeComponent(findComponent(name));
  process.stdout.write(`${lines.join("\n")}\n`);
}

function listComponents(): string[] {
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

function findComponent(name: string): Component {
  const found = components.find((component) => component.name === name);
  if (found !== undefined) return found;
  throw new PupilError(`There is no component "${name}".`, {
    value: name,
    remedy: oneOf(
      name,
      components.map((component) => component.name),
    ),
  });
}
