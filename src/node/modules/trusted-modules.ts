import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
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

/** Whether a config is one that a run folder holds: only those say what the run was made with. */
export function isOfRun(config: unknown): boolean {
  return typeof config === "object" && config !== null && "versions" in config;
}

/**
 * Refuses to run code that a run folder, which somebody may have sent, names outside of the working
 * folder. Inside of it there is only what its user put there.
 *
 * @param path of the config of the run folder
 * @param stored what it holds
 * @throws PupilError naming the module
 */
export async function requireTrust(path: string, stored: unknown, trusted: boolean): Promise<void> {
  if (trusted) return;
  // What else is wrong with the config is said where it is parsed.
  const fields = modulesIn.parse(stored);
  const workingFolder = await realpath(process.cwd());
  const listed = lists.flatMap((list) =>
    paths.parse(fields[list]).map((module, i) => ({ field: `${list}.${i}`, module })),
  );
  for (const { field, module } of listed) {
    const from = relative(workingFolder, await realPathOf(module));
    if (from !== ".." && !from.startsWith(`..${sep}`) && !isAbsolute(from)) continue;
    throw new PupilError("this run folder names a module outside of the working folder.", {
      field: `${path}: ${field}`,
      value: module,
      remedy: `It would run as code, with your rights: read ${module}, then add ${word}.`,
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
