import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { z } from "zod";
import type { CliCommand } from "../program/command.js";
import { fieldValues } from "./field-values.js";

/**
 * What the last word may become, as whole words: names of commands; of a command, what its first argument
 * can be, fields as `key=`, the values of a field, and paths. A field is offered up to its next dot, a
 * path up to its next slash. Nothing where all of it is the user's own, such as a prompt.
 *
 * @param words what stands behind `pupil`, up to the cursor; the last is empty behind a space
 */
export async function candidates(
  commands: readonly CliCommand[],
  words: readonly string[],
): Promise<string[]> {
  const current = words.at(-1) ?? "";
  const [name, ...given] = words.slice(0, -1);
  const names = commands.map((command) => command.name);
  if (name === undefined) return starting([...names, "help", "--help", "--version"], current);
  if (name === "help") return given.length === 0 ? starting(names, current) : [];
  const command = commands.find((known) => known.name === name);
  if (command === undefined) return [];
  if (current.startsWith("-")) return starting(["--help"], current);

  const isFirst = given.every((word) => word.includes("="));
  const equals = current.indexOf("=");
  if (equals >= 0) {
    const key = current.slice(0, equals + 1);
    const values = (await keysOf(command)).get(key.slice(0, -1)) ?? [];
    if (values.length > 0) return starting(values.map(String), current.slice(key.length), key);
    return (await pathsFrom(current.slice(key.length))).map((path) => `${key}${path}`);
  }
  if (isFirst && command.choices !== undefined) {
    const choices = starting(await command.choices(), current);
    if (choices.length > 0) return choices;
  }
  const takesPath = command.arguments !== undefined && isFirst;
  const paths = takesPath || current !== "" ? await pathsFrom(current) : [];
  // Before the first argument there are fields only where one was begun.
  if (takesPath && current === "") return paths;
  const taken = new Set(given.map((word) => word.split("=", 1)[0]));
  const keys = [...(await keysOf(command)).keys()].filter((key) => !taken.has(key));
  return [...upToDot(starting(keys.map(asWord), current), current), ...paths];
}

const asWord = (key: string) => `${key}=`;

function starting(words: readonly string[], start: string, before = ""): string[] {
  return words.filter((word) => word.startsWith(start)).map((word) => `${before}${word}`);
}

/** `trainer.` in place of all that begins with it, until that is typed. */
function upToDot(keys: readonly string[], current: string): string[] {
  const cut = (key: string) => {
    const dot = key.indexOf(".", current.length);
    return dot < 0 ? key : key.slice(0, dot + 1);
  };
  return [...new Set(keys.map(cut))];
}

/** The `key=value` words of a command by key, each with its values where they can be counted. */
async function keysOf(command: CliCommand): Promise<Map<string, readonly string[]>> {
  const own = Object.keys(command.words ?? {}).map((word): [string, string[]] => {
    const [key = "", value = ""] = word.split("=");
    return [key, value === "" ? [] : [value]];
  });
  const schemas: (z.ZodType | undefined)[] = [
    await command.options?.(),
    await command.overrides?.schema?.(),
  ];
  const fields = schemas.flatMap((schema) =>
    schema === undefined ? [] : [...fieldValues(schema)],
  );
  return new Map([...fields, ...own]);
}

/** Paths that begin as the text does; hidden ones where its last part begins with a dot. */
async function pathsFrom(start: string): Promise<string[]> {
  const folder = start.slice(0, start.lastIndexOf("/") + 1);
  const name = start.slice(folder.length);
  const entries = await readdir(folder || ".").catch(() => []);
  const fitting = entries
    .filter((entry) => entry.startsWith(name) && (name !== "" || !entry.startsWith(".")))
    .sort();
  return Promise.all(
    fitting.map(async (entry) => {
      const about = await stat(join(folder, entry)).catch(() => undefined);
      return `${folder}${entry}${about?.isDirectory() ? "/" : ""}`;
    }),
  );
}
