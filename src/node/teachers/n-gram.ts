import type { Tokenizer } from "../../data/index.js";
import { nGramLanguage, type TeacherConfig } from "../../teachers/index.js";
import { readText } from "../files/read-files.js";
import { loadLanguage } from "./load-language.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type NGramTeacherConfig = Extract<TeacherConfig, { type: "n-gram" }>;

/** Counts a text as soon as the run's tokenizer is known. */
export async function loadNGramTeacher(config: NGramTeacherConfig): Promise<LoadedTeacher> {
  const { path, order, smoothing, separator } = config;
  const text = await readText(path, "text of the n-gram teacher");
  const loaded = loadLanguage(config, `${order}-gram counts of ${path}`, (tokenizer) =>
    nGramLanguage(documents(text, separator, tokenizer), {
      vocabSize: tokenizer.vocabSize,
      order,
      smoothing,
    }),
  );
  return { ...loaded, weights: [path], settings: { order, smoothing, separator } };
}

function documents(text: string, separator: string | undefined, tokenizer: Tokenizer): number[][] {
  const { startIds, endIds } = tokenizer;
  const encode = (part: string) => tokenizer.encode(part);
  if (separator === undefined) return [[...startIds, ...encode(text)]];
  return text
    .split(separator)
    .filter((document) => document !== "")
    .map((document) => [...startIds, ...encode(document), ...endIds.slice(0, 1)]);
}
