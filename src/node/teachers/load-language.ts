import type { Tokenizer } from "../../data/index.js";
import { type ExactLanguage, exactTeacher } from "../../teachers/index.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

/** A teacher with a known distribution over the tokens of whatever tokenizer the run has. */
export function loadLanguage<S>(
  { type, topK, samples, sampleTemperature }: LanguageConfig,
  note: string,
  languageOf: (tokenizer: Tokenizer) => ExactLanguage<S>,
): LoadedTeacher {
  return {
    notes: [`Teacher: ${note}.`],
    connect: ({ tokenizer }) => {
      const options = { topK, samples, sampleTemperature };
      return Promise.resolve(exactTeacher(languageOf(tokenizer), type, options));
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
