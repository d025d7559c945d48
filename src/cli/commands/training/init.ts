import { constants } from "node:fs";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { oneOf, PupilError } from "../../../errors/index.js";
import { explainDiskErrors } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";
import { pupil, quoted } from "../../terminal/typed.js";

/** Starters of the package: what each trains, and the file of data that it reads. */
const starters = {
  text: { about: "a text of your own, by its characters", data: "text.txt" },
  jsonl: { about: "prompts and completions of a JSONL file, with a verifier", data: "rows.jsonl" },
  "on-policy": { about: "a teacher's view of what the student writes itself", data: undefined },
  pairs: { about: "preferred and rejected answers", data: "pairs.jsonl" },
} as const;

type Kind = keyof typeof starters;
export const starterKinds = Object.keys(starters);

const packageFolder = fileURLToPath(new URL("../../../../", import.meta.url));
const folder = join(packageFolder, "examples/starters");
const teacher = "examples/quickstart/teacher";

/** `pupil init [kind] [file]`: a config with comments and the data that it names, where there are none yet. */
export async function initCommand(kind: string | undefined, file = `${kind}.jsonc`): Promise<void> {
  if (kind === undefined) {
    const lines = Object.entries(starters).map(
      ([name, { about }]) => `  ${name.padEnd(9)}  ${about}`,
    );
    writeLine(
      process.stdout,
      [`${pupil()} init <kind> writes a config to train on:`, ...lines].join("\n"),
    );
    return;
  }
  if (!isKind(kind)) {
    const allowed = oneOf(kind, starterKinds);
    throw new PupilError(`"${kind}" is no kind of starter.`, { field: "init", remedy: allowed });
  }
  const text = await readFile(join(folder, `${kind}.jsonc`), "utf8");
  // The teacher that comes with the package, as seen from the working folder.
  const here = relative(process.cwd(), join(packageFolder, teacher)).replaceAll("\\", "/");
  await create(file, () => writeFile(file, text.replace(teacher, here), { flag: "wx" }));
  const { data } = starters[kind];
  writeLine(process.stdout, `Written: ${file}`);
  if (data !== undefined) {
    const made = await copied(join(folder, data), data);
    writeLine(process.stdout, made ? `Written: ${data}, to be replaced by yours` : `Kept: ${data}`);
  }
  writeLine(process.stdout, `Train with: ${pupil()} train ${quoted(file)}`);
}

const isKind = (name: string): name is Kind => Object.hasOwn(starters, name);

async function create(file: string, write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST" && code !== "ENOENT") return notWritten(file, error);
    throw new PupilError(
      code === "EEXIST" ? "There is such a file already." : `There is no folder ${dirname(file)}.`,
      { field: file, remedy: `Name another one: pupil init <kind> other-${basename(file)}.` },
    );
  }
}

/** Whether the file was made; one that is there is left as it is. */
async function copied(from: string, to: string): Promise<boolean> {
  try {
    await copyFile(from, to, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EEXIST" ? false : notWritten(to, error);
  }
}

/** Says in a sentence why the disk does not take a file. */
const notWritten = (file: string, error: unknown): Promise<never> =>
  explainDiskErrors(file, () => Promise.reject(error as Error));
