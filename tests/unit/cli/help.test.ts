import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addCommand } from "../../../src/cli/program/command.js";
import { commands } from "../../../src/cli/program/commands.js";
import { describeFields } from "../../../src/config/index.js";

/** What `pupil <name> --help` prints. */
async function helpOf(name: string): Promise<string> {
  const definition = commands.find((command) => command.name === name);
  const program = new Command("pupil");
  await addCommand(program, definition as (typeof commands)[number], true);
  let text = "";
  const [command] = program.commands;
  command?.configureOutput({ writeOut: (part) => void (text += part) });
  command?.outputHelp();
  return text;
}

describe.each(commands)("pupil $name --help", ({ name, options, words, examples, run }) => {
  test("has two examples at least, of commands that there are", async () => {
    const text = await helpOf(name);
    const lines = Object.keys(examples);
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines) {
      expect(text).toContain(`  ${line}\n`);
      const called = /\bpupil ([\w-]+)/.exec(line)?.[1];
      expect(commands.map((command) => command.name)).toContain(called);
    }
  });

  test("lists all of its options", async () => {
    const text = await helpOf(name);
    const fields = options === undefined ? [] : describeFields(await options());
    for (const { path, description } of fields) {
      expect(text).toContain(`  ${path}=`);
      expect(description, path).not.toBe("");
    }
    for (const word of Object.keys(words ?? {})) expect(text).toContain(`  ${word}`);
  });

  test("belongs to a command", async () => {
    expect(await run()).toBeTypeOf("function");
  });
});
