import type { Tokenizer } from "../../data/index.js";
import { type ExactLanguage, exactTeacher } from "../../teachers/index.js";
import { fittedSize, type LoadedTeacher } from "./loaded-teacher.js";

/** A teacher with a known distribution over the tokens of whatever tokenizer the run has. */
export function loadLanguage<S>(
  { type, topK, samples, sampleTemperature }: LanguageConfig,
  note: string,
  languageOf: (tokenizer: Tokenizer) => ExactLanguage<S>,
): LoadedTeacher {
  const notes = [`Teacher: ${note}.`];
  return {
    notes,
    connect: (run) => {
      const language = languageOf(run.tokenizer);
      const rows = fittedSize(language.vocabSize, run, notes);
      const options = { topK, samples, sampleTemperature, rows };
      return Promise.resolve(exactTeacher(language, type, options));
    },
    dispose: () => undefined,
  };
}

interface LanguageConfig {
  readonly type: string;
  readonly topK?: number | undefined;
  readonly samples?: number | undefined;
  readonly sampleTemperature?: number | undefined;
}
