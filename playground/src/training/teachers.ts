import { PupilError, type Random, type RunConfig, type Tokenizer } from "pupil";
import type { Decoder } from "pupil/models";
import {
  averageTeacher,
  bimodalLanguage,
  type BimodalOptions,
  exactTeacher,
  type ExactLanguage,
  hiddenMarkovLanguage,
  modelTeacher,
  nGramLanguage,
  randomHiddenMarkovModel,
  type Teacher,
  type TeacherConfig,
} from "pupil/teachers";

export interface TeacherSetup {
  readonly tokenizer: Tokenizer;
  readonly student: Decoder;
  readonly random: Random;
  /** Of a teacher that is a model folder. */
  readonly model: Decoder | undefined;
  /** A text that the config names. */
  readonly text: string;
}

/** Kinds of teachers that need nothing but a page. */
export const pageTeachers = ["model", "bimodal", "n-gram", "hidden-markov", "self"] as const;

/** A teacher with, of two planted modes, where they are. */
export interface ConnectedTeacher {
  readonly teacher: Teacher;
  readonly bimodal?: BimodalOptions;
}

/**
 * The teacher of a config, as a run of `pupil train` has it.
 *
 * @throws PupilError for kinds that need more than a page has
 */
export function connectTeacher(config: TeacherConfig, setup: TeacherSetup): ConnectedTeacher {
  const { tokenizer, student, model, text } = setup;
  const { vocabSize } = tokenizer;
  const rows = student.config.vocabSize;
  const exact = (language: ExactLanguage<never>, name: string, options: object) =>
    exactTeacher(language, name, { ...options, rows });
  switch (config.type) {
    case undefined:
    case "model": {
      const { type: _type, from, prompt, ...options } = config;
      if (model === undefined) throw new Error(`The model ${from} was not loaded.`);
      if (prompt !== undefined) throw refused("teacher.prompt", prompt);
      return { teacher: modelTeacher(model, from, options) };
    }
    case "self": {
      const { type: _type, emaDecay, adapter, prompt, ...options } = config;
      if (emaDecay === undefined || adapter !== undefined || prompt !== undefined) {
        throw new PupilError("A student that teaches itself here is an average over its past.", {
          field: "teacher.emaDecay",
          value: emaDecay,
          remedy: "Set it to 1 for the student as it was before training, and leave out the rest.",
        });
      }
      return { teacher: averageTeacher(student, emaDecay, options) };
    }
    case "bimodal": {
      const { type, offsets, weight, width, ...options } = config;
      if ((offsets[0] - offsets[1]) % vocabSize === 0) {
        throw new PupilError(`On a ring of ${vocabSize} ids both modes are the same.`, {
          ...{ field: "teacher.offsets", value: offsets, remedy: "Move one of them." },
        });
      }
      const bimodal = { vocabSize, offsets, weight, width };
      return { teacher: exact(bimodalLanguage(bimodal) as never, type, options), bimodal };
    }
    case "hidden-markov": {
      const { type, topK, samples, sampleTemperature, ...machine } = config;
      const language = hiddenMarkovLanguage(randomHiddenMarkovModel({ ...machine, vocabSize }));
      return { teacher: exact(language as never, type, { topK, samples, sampleTemperature }) };
    }
    case "n-gram": {
      const { type, path: _path, order, smoothing, separator, ...options } = config;
      if (separator !== undefined) throw refused("teacher.separator", separator);
      const rowsOfText = [[...tokenizer.startIds, ...tokenizer.encode(text)]];
      const language = nGramLanguage(rowsOfText, { vocabSize, order, smoothing });
      return { teacher: exact(language as never, type, options) };
    }
    default:
      throw noPageTeacher(config.type);
  }
}

/** @throws PupilError for a config whose teacher needs more than a page has */
export function requirePageTeacher({ teacher }: RunConfig): void {
  const type = teacher?.type ?? "model";
  if (!(pageTeachers as readonly string[]).includes(type)) throw noPageTeacher(type);
}

function noPageTeacher(type: string): PupilError {
  return new PupilError(`needs more than a page has.`, {
    ...{ field: "teacher.type", value: type },
    remedy: `Here: ${pageTeachers.join(", ")}.`,
  });
}

function refused(field: string, value: unknown): PupilError {
  return new PupilError("is not for this page.", {
    ...{ field, value, remedy: "Leave it out, or use `pupil train`." },
  });
}
