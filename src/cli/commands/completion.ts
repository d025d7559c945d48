import { oneOf, PupilError } from "../../errors/index.js";
import { candidates } from "../completion/candidates.js";
import { scripts, shells } from "../completion/scripts.js";
import type { CliCommand } from "../program/command.js";
import { writeText } from "../terminal/terminal.js";

/** `pupil completion <shell>`, and `pupil completion candidates -- <words>`, which its scripts call. */
export async function completionCommand(
  commands: readonly CliCommand[],
  shell: string,
  words: readonly string[],
): Promise<void> {
  if (shell === "candidates") {
    for (const word of await candidates(commands, words)) writeText(process.stdout, `${word}\n`);
    return;
  }
  const script = (scripts as Readonly<Record<string, string>>)[shell];
  if (script === undefined) {
    throw new PupilError(`There is no completion for "${shell}".`, {
      value: shell,
      remedy: oneOf(shell, shells),
    });
  }
  writeText(process.stdout, script);
}
