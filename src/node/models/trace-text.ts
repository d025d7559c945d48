import { encodePrompt, type TokenSequence } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { contextLength } from "../../models/index.js";
import type { TeacherConfig, TeacherDefinition } from "../../teachers/index.js";
import { Random } from "../../tensors/index.js";
import { scoresOwnText, type TracedToken, viewTokens } from "../../trainers/index.js";
import { isFolder } from "../files/file-exists.js";
import { tokenTracer } from "../logs/traces.js";
import { loadOwnComponents } from "../modules/own-components.js";
import { resolveRunConfig } from "../runs/evaluate-run.js";
import { loadTeacher } from "../teachers/load-teacher.js";
import { findModelFolder } from "./find-model.js";
import { loadModelFolder } from "./model-folder.js";
import { join } from "node:path";

/** How a student and a teacher see a text. */
export interface TracedText {
  /** What stands before the first token that is predicted. */
  readonly given: string;
  readonly tokens: readonly TracedToken[];
  /** What to tell the user. */
  readonly notes: readonly string[];
}

export interface TraceTextOptions {
  /** Default: that of the run. */
  readonly teacher?: TeacherConfig | undefined;
  /** Likeliest tokens of each model. Default: 5. */
  readonly alternatives?: number;
  /** Whether a run folder may run code of modules outside of the working folder, for a teacher of one's own. */
  readonly trusted?: boolean;
}

/**
 * Looks at a text token by token with the model of a folder, or of a run's last checkpoint, and a teacher. Needs a
 * started backend.
 *
 * @throws PupilError where there is no teacher, or it does not score any text of the model's tokenizer
 */
export async function traceText(
  path: string,
  text: string,
  { teacher: asked, alternatives = 5, trusted = false }: TraceTextOptions = {},
): Promise<TracedText> {
  const { teacher: config, own } = asked ? { teacher: asked } : await teacherOfRun(path, trusted);
  const { model: student, tokenizer } = await loadModelFolder(await findModelFolder(path));
  try {
    const loaded = await loadTeacher(config, own);
    try {
      requireSameTokenizer(tokenizer, loaded.tokenizer);
      const { vocabSize } = student.config;
      const random = new Random(1).stream("teacher");
      using teacher = await loaded.connect({ tokenizer, student, vocabSize, random });
      if (!scoresOwnText(student, teacher)) {
        throw new PupilError("The teacher does not give its whole distribution of any text.", {
          field: "teacher",
          remedy: "Name one that does, such as a model folder: teacher=<folder>.",
        });
      }
      const ids = encodePrompt(tokenizer, text);
      const room = Math.min(contextLength(student.config), teacher.maxPositions ?? Infinity);
      const row: TokenSequence = { ids: ids.slice(0, room), completionStart: 1 };
      const { padId } = tokenizer;
      const views = await viewTokens(student, teacher, row, { padId, alternatives });
      const first = views[0]?.position ?? row.ids.length;
      const cut = ids.length - row.ids.length;
      return {
        given: tokenizer.decode(row.ids.slice(0, first)),
        tokens: tokenTracer(tokenizer)(row, views),
        notes: [
          ...loaded.notes,
          ...(cut > 0 ? [`The last ${cut} of ${ids.length} tokens do not fit the context.`] : []),
        ],
      };
    } finally {
      loaded.dispose();
    }
  } finally {
    student.dispose();
  }
}

/** What the config of a run says; a model folder says nothing. */
async function teacherOfRun(
  path: string,
  trusted: boolean,
): Promise<{ teacher: TeacherConfig; own?: readonly TeacherDefinition[] }> {
  if (await isFolder(join(path, "checkpoints"))) {
    const { config } = await resolveRunConfig(path, trusted ? ["trust=true"] : []);
    const { teachers: own } = await loadOwnComponents(config);
    if (config.teacher !== undefined) return { teacher: config.teacher, own };
  }
  throw new PupilError("There is no teacher to compare with.", {
    field: path,
    remedy: "Name a model or run folder: teacher=<folder>.",
  });
}

function requireSameTokenizer(
  own: { readonly fingerprint: string },
  theirs: { readonly fingerprint: string } | undefined,
): void {
  if (theirs === undefined || theirs.fingerprint === own.fingerprint) return;
  throw new PupilError("The teacher has another tokenizer than the model.", {
    field: "teacher",
    remedy: "Name one with the same: token by token they cannot be compared.",
  });
}
