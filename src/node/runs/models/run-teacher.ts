import { join } from "node:path";
import type { RunConfig } from "../../../config/index.js";
import { PupilError } from "../../../errors/index.js";
import { isFile } from "../../files/file-exists.js";
import { toJson } from "../../files/json.js";
import { readJson } from "../../files/read-files.js";
import {
  hashOfFiles,
  identifyTeacher,
  type LoadedTeacher,
  teacherDifferences,
  type TeacherManifest,
  teacherManifestSchema,
} from "../../teachers/index.js";
import type { LoadedListTeacher } from "./list-teacher.js";

/** What a checkpoint says of the teachers it learned from. */
export const teacherManifestFile = "teacher.json";

const word = "newTeacher=true";

/** Takes `newTeacher=true` out of the words of a command. */
export function takeNewTeacher(words: readonly string[]): { newTeacher: boolean; rest: string[] } {
  const rest = words.filter((given) => given !== word);
  return { newTeacher: rest.length < words.length, rest };
}

/** The manifest of a run; undefined where it has no teacher. */
export async function manifestOf(
  { teacher, trainer }: RunConfig,
  tokenizer: { readonly fingerprint: string },
  loaded: LoadedTeacher | undefined,
  scores: LoadedListTeacher | undefined,
): Promise<TeacherManifest | undefined> {
  const asked = trainer.type === "rank" ? trainer.scores : undefined;
  if (loaded === undefined && asked === undefined) return undefined;
  return {
    version: 1,
    tokenizer: tokenizer.fingerprint,
    ...(loaded && teacher ? { teacher: await identifyTeacher(teacher, loaded) } : {}),
    ...(scores && asked
      ? {
          scores: {
            kind: asked.type,
            hash: await hashOfFiles(scores.files),
            hashOf: "files",
            options: asked,
          },
        }
      : {}),
  };
}

export function manifestFiles(manifest: TeacherManifest | undefined): Map<string, string> {
  return new Map(manifest === undefined ? [] : [[teacherManifestFile, `${toJson(manifest, 2)}\n`]]);
}

/**
 * Refuses to go on from a checkpoint with another teacher than it learned from.
 *
 * @param isMeant whether the user said that the change is meant
 * @returns what to tell the user
 * @throws PupilError that says what differs
 */
export async function checkTeacher(
  checkpoint: string,
  now: TeacherManifest | undefined,
  isMeant: boolean,
): Promise<string[]> {
  const path = join(checkpoint, teacherManifestFile);
  if (!(await isFile(path))) {
    return now === undefined
      ? []
      : ["The checkpoint does not say what its teacher was (an older version wrote it)."];
  }
  const result = teacherManifestSchema.safeParse(await readJson(path, "teacher manifest"));
  if (!result.success) {
    throw new PupilError("This is no manifest of a teacher.", {
      field: path,
      remedy: "Resume from a checkpoint that a training run wrote.",
    });
  }
  const before = result.data;
  const changes = teacherDifferences(before, now ?? { version: 1, tokenizer: before.tokenizer });
  if (changes.length === 0) return [];
  const what = changes.join("; ");
  if (isMeant) return [`The teacher is another than before, as asked for: ${what}.`];
  throw new PupilError(`The teacher is not the one that this run learned from: ${what}.`, {
    field: path,
    remedy: `Restore it, or add ${word} to go on with the other one.`,
  });
}
