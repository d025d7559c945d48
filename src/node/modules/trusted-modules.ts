import { realpath } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import { z } from "zod";
import { PupilError } from "../../errors/index.js";

const word = "trust=true";
/** The fields of configs that list modules. */
const lists = ["losses", "tasks", "verifiers", "rewards", "teachers", "methods"] as const;
const modulesIn = z.record(z.string(), z.unknown()).catch({});
const paths = z.array(z.string()).catch([]);

/** Takes `trust=true` out of the words of a command. */
export function takeTrust(words: readonly string[]): { trusted: boolean; rest: string[] } {
  const rest = words.filter((given) => given !== word);
  return { trusted: rest.length < words.length, rest };
}

/**
 * Refuses to run code that a run folder, which somebody may have sent, names outside of the working
 * folder. Inside of it there is only what its user put there.
 *
 * @param stored the config of the run folder
 * @throws PupilError naming the module
 */
export async function requireTrust(run: string, stored: unknown, trusted: boolean): Promise<void> {
  if (trusted) return;
  // What else is wrong with the config is said where it is parsed.
  const fields = modulesIn.parse(stored);
  const workingFolder = await realpath(process.cwd());
  const listed = lists.flatMap((list) =>
    paths.parse(fields[list]).map((path, i) => ({ field: `${list}.${i}`, path })),
  );
  for (const { field, path } of listed) {
    const from = relative(workingFolder, await realPathOf(path));
    if (from !== ".." && !from.startsWith("../") && !isAbsolute(from)) continue;
    throw new PupilError("this run folder names a module outside of the working folder.", {
      field: `${join(run, "config.json")}: ${field}`,
      value: path,
      remedy: `It would run as code, with your rights: read ${path}, then add ${word}.`,
    });
  }
}

/** Where a link leads; a path to nothing is said to be missing by whoever loads it. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return resolve(path);
  }
}
