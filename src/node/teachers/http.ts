import { PupilError } from "../../errors/index.js";
import { httpTeacher, teacherProtocols, type TeacherConfig } from "../../teachers/index.js";
import { checkedUrl, readKey } from "./server-address.js";
import { loadTokenizer } from "../models/load-tokenizer.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type HttpTeacherConfig = Extract<TeacherConfig, { type: "http" }>;

/** A model on a server as teacher: its tokenizer is read, its key found, and one question asked. */
export async function loadHttpTeacher(config: HttpTeacherConfig): Promise<LoadedTeacher> {
  const { type: _type, apiKeyVariable, tokenizer: path, ...options } = config;
  const url = checkedUrl(config.url);
  if (teacherProtocols[config.server].needsModel && config.model === undefined) {
    throw new PupilError(`is missing: ${config.server} serves models by name.`, {
      field: "teacher.model",
      remedy: `Its list is at ${url}/v1/models.`,
    });
  }
  const apiKey = apiKeyVariable === undefined ? undefined : readKey(apiKeyVariable);
  const tokenizer = await loadTokenizer(path);
  return {
    tokenizer,
    ...(config.maxPositions === undefined ? {} : { maxPositions: config.maxPositions }),
    notes: [`Teacher: ${config.model ?? config.server} at ${url}, top ${config.topK}.`],
    connect: async ({ student, random }) => {
      const { vocabSize } = student.config;
      if (config.topK > vocabSize) {
        throw new PupilError(
          `is ${config.topK}, more than the vocabulary of ${vocabSize} tokens.`,
          {
            field: "teacher.topK",
            value: config.topK,
            remedy: "Lower it.",
          },
        );
      }
      const teacher = httpTeacher({
        ...options,
        url,
        apiKey,
        tokenizer,
        vocabSize,
        timeoutMs: config.timeoutSeconds * 1000,
        retryDelayMs: config.retryDelaySeconds * 1000,
        random,
      });
      await teacher.probe();
      return teacher;
    },
    dispose: () => undefined,
  };
}
