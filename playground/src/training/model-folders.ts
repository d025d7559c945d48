import { PupilError, type RunConfig, type Tokenizer } from "pupil";
import {
  type ChosenFile,
  chosenFolder,
  type FolderFiles,
  type LoadedModel,
  loadModel,
  zipFolder,
} from "pupil/browser";
import { taskDefinitions } from "pupil/data";
import type { LoadedFacts, ModelRole } from "./protocol.js";
import { samples } from "./samples.js";
import { givenTeacherPath, studentPath, teacherPath } from "./settings.js";

/** The model folders that a page has: the teacher that comes with it, and what a visitor gave. */
export interface ModelFolders {
  /**
   * Takes a folder or a zip; what was there in its role is replaced once it is known to be a model.
   *
   * @throws PupilError naming the file that is missing, damaged or of another kind
   */
  load(as: ModelRole, name: string, files: readonly ChosenFile[]): Promise<LoadedFacts>;
  /**
   * The model of a config's teacher, which stays this one's; undefined where it is no folder. Nothing may use the one
   * that was given before.
   */
  teacherOf(config: RunConfig): Promise<LoadedModel | undefined>;
  /** The folder that a config's student begins as; undefined for a fresh one. */
  startOf(config: RunConfig): FolderFiles | undefined;
  /** Disposes models, not folders: they are read again on another engine. */
  release(): void;
}

export function makeModelFolders(ofPage: FolderFiles): ModelFolders {
  const given: { [R in ModelRole]?: FolderFiles } = {};
  const teachers = new Map<FolderFiles, LoadedModel>();

  const releaseBut = (kept: FolderFiles | undefined) => {
    for (const [folder, { model }] of teachers) {
      if (folder === kept) continue;
      model.dispose();
      teachers.delete(folder);
    }
  };
  const folderOf = (from: string): FolderFiles => {
    if (from === teacherPath) return ofPage;
    if (from === givenTeacherPath && given.teacher !== undefined) return given.teacher;
    const remedy =
      from === givenTeacherPath
        ? "Drop the teacher's Hugging Face folder, or its zip, on this page: a link does not carry it."
        : `Drop its Hugging Face folder, or a zip of it, on this page, or take the page's own: ${teacherPath}.`;
    throw new PupilError("is not here.", { field: "teacher.from", value: from, remedy });
  };

  return {
    async load(as, name, files) {
      const [only] = files;
      const isZip = files.length === 1 && only !== undefined && /\.zip$/i.test(only.path);
      const folder = isZip
        ? await zipFolder(only.content, { name })
        : chosenFolder(files, { name });
      // Made once here, so that what is wrong with it is said now, and what was there stays.
      const { model, tokenizer } = await loadModel(folder);
      const parameters = model.numParameters;
      model.dispose();
      given[as] = folder;
      return { parameters, vocabSize: tokenizer.vocabSize, ...whatItReads(tokenizer) };
    },
    async teacherOf({ teacher }) {
      if (teacher === undefined || (teacher.type ?? "model") !== "model") {
        releaseBut(undefined);
        return undefined;
      }
      const folder = folderOf((teacher as { from: string }).from);
      releaseBut(folder);
      const model = teachers.get(folder) ?? (await loadModel(folder));
      teachers.set(folder, model);
      return model;
    },
    startOf({ student: { from } }) {
      if (from === undefined) return undefined;
      if (from === studentPath && given.student !== undefined) return given.student;
      throw new PupilError("is not here.", {
        ...{ field: "student.from", value: from },
        remedy:
          "Load the zip of a student first, under Config and files: a link does not carry it.",
      });
    },
    release: () => releaseBut(undefined),
  };
}

function whatItReads(tokenizer: Tokenizer): Pick<LoadedFacts, "tasks" | "readsText"> {
  const knows = (characters: Iterable<string>) =>
    [...new Set(characters)].every((character) => isKnown(tokenizer, character));
  return {
    tasks: taskDefinitions
      .filter(({ config, alphabet }) => knows(alphabet(config.parse({}) as never)))
      .map(({ name }) => name),
    readsText: knows((samples["verse"] as () => string)()),
  };
}

/** Whether a character survives; spaces may come before it. */
function isKnown(tokenizer: Tokenizer, character: string): boolean {
  try {
    return tokenizer.decode(tokenizer.encode(character)).includes(character);
  } catch {
    return false;
  }
}
