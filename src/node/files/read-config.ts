import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parse } from "lossless-json";
import stripJsonComments from "strip-json-comments";
import { nearest, PupilError } from "../../errors/index.js";
import { exists } from "./file-exists.js";
import { readText } from "./read-files.js";

/** A config that somebody wrote: JSON that may have comments, and a comma behind a last entry. */
export async function readConfigFile(path: string, what: string): Promise<unknown> {
  if (!(await exists(path))) throw await notThere(path, what);
  // They become spaces, so that the position of an error is that of the file.
  const text = stripJsonComments(await readText(path, what), { trailingCommas: true });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notJson(text, path, what, cause as Error);
  }
}

/** Names the config of its folder that was probably meant. */
async function notThere(path: string, what: string): Promise<PupilError> {
  const names = await readdir(dirname(path)).catch(() => []);
  const configs = names.filter(
    (name) => /\.jsonc?$/i.test(name) && !/^(package|tsconfig)\b/.test(name),
  );
  const near = nearest(basename(path), configs);
  const meant = near === undefined ? "" : `Did you mean ${join(dirname(path), near)}? `;
  const others = near === undefined && configs.length === 0 ? " `pupil init` writes one." : "";
  return new PupilError(`The ${what} does not exist.`, {
    field: path,
    remedy: `${meant}Paths are relative to ${process.cwd()}.${others}`,
  });
}

function notJson(text: string, path: string, what: string, cause: Error): PupilError {
  const remedy =
    "A config is JSON, which may have comments and a comma behind a last entry; `pupil init` writes one.";
  if (text.trim() === "") return new PupilError(`The ${what} is empty.`, { field: path, remedy });
  const at = positionOf(text);
  const place = at === undefined ? "" : ` at ${at}`;
  return new PupilError(
    `The ${what} is not valid JSON${place}: ${cause.message.replaceAll("\n", "⏎")}.`,
    { field: path, remedy, cause },
  );
}

/** Line and column of the first error; Node says the position of some errors only. */
function positionOf(text: string): string | undefined {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    const position = /at position (\d+)/.exec((error as Error).message)?.[1];
    if (position === undefined) return undefined;
    const before = text.slice(0, Number(position)).split("\n");
    return `line ${before.length}, column ${(before.at(-1) as string).length + 1}`;
  }
}
