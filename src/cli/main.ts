#!/usr/bin/env node
import { createRequire } from "node:module";
import { inspect } from "node:util";
import { Command } from "commander";
import { PupilError } from "../errors/index.js";
import { addCommand } from "./program/command.js";
import { commands } from "./program/commands.js";
import { endOnClosedPipes } from "./terminal/closed-pipes.js";
import { writeLine } from "./terminal/terminal.js";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };
const words = process.argv.slice(2);
const asksForHelp = words[0] === "help" || words.some((word) => ["--help", "-h"].includes(word));

const program = new Command("pupil")
  .description("Train small transformer students from a teacher's token-level logits.")
  .version(version)
  .addHelpText("after", "\n`pupil <command> --help` shows all of its options, with examples.")
  .showHelpAfterError(
    "`pupil --help` lists the commands, `pupil <command> --help` what one of them takes.",
  );
for (const command of commands) {
  await addCommand(program, command, asksForHelp && words.includes(command.name));
}

endOnClosedPipes();
try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof PupilError) writeLine(process.stderr, `error: ${error.message}`);
  else {
    // Of a module of the user's own, or a mistake of ours: its text too may come from data.
    writeLine(process.stderr, inspect(error));
    process.exit();
  }
}
