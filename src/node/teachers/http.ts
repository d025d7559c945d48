import { PupilError } from "../../errors/index.js";
import { httpTeacher, teacherProtocols, type TeacherConfig } from "../../teachers/index.js";
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

/** The url, checked without being repeated where it holds a password. */
function checkedUrl(given: string): string {
  if (!URL.canParse(given) || !/^https?:/.test(given)) {
    throw new PupilError("is not the address of a server.", {
      field: "teacher.url",
      value: given,
      remedy: "It looks like http://localhost:8000.",
    });
  }
  const { username, password, search } = new URL(given);
  if (username !== "" || password !== "" || search !== "") {
    throw new PupilError("has a user, a password or a query in it, which every log would show.", {
      field: "teacher.url",
      remedy:
        "Leave them out; a key belongs in an environment variable that teacher.apiKeyVariable names.",
    });
  }
  return given.replace(/\/+$/, "");
}

function readKey(variable: string): string {
  if (!/^[A-Z][A-Z0-9_]*$/.test(variable)) {
    // Perhaps the key itself: it is not shown.
    throw new PupilError("is not the name of an environment variable.", {
      field: "teacher.apiKeyVariable",
      remedy: "Give a name such as OPENAI_API_KEY; the key itself must not be in a config.",
    });
  }
  const key = process.env[variable]?.trim();
  if (key === undefined || key === "") {
    throw new PupilError(`The environment variable ${variable} is not set.`, {
      field: "teacher.apiKeyVariable",
      remedy: `Set it before the run: export ${variable}=…`,
    });
  }
  return key;
}
