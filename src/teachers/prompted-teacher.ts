import * as tf from "@tensorflow/tfjs-core";
import {
  type Batch,
  makeBatch,
  roundedLength,
  type Tokenizer,
  type TokenSequence,
} from "../data/index.js";
import { PupilError } from "../errors/index.js";
import { HostValues } from "../tensors/index.js";
import { joinedSource } from "./score-source.js";
import type { Teacher, TeacherAnswer, TeacherSignal } from "./teacher.js";

/** What of the row a privileged prompt can have; one of the two prompts must be in it. */
const rowParts = ["prompt", "completion", "shown"] as const;
type RowPart = (typeof rowParts)[number];

/** Parts of a privileged prompt: text, or what stands for something of the row. */
type Part = readonly number[] | RowPart;

const remedyForUnknownRows =
  "Take rows that have shownPrompt, such as those of the sampler hinted, or leave {shown} out of teacher.prompt.";

/** What is of a row and not of a position cannot be moved to where the student has the position. */
const ofRows: readonly TeacherSignal[] = ["teacherAttentions", "teacherKeys", "teacherValues"];

/**
 * A teacher that reads another prompt than the student: an instruction, or the right answer. It
 * scores the same completion tokens; what it says is moved to where the student has them.
 *
 *     template "The answer is {completion}. {prompt}"
 *
 * `{prompt}` is the student's prompt, `{completion}` the completion that the data gives (for a row
 * that the student wrote: to the same prompt), `{shown}` the prompt that the writer of the row was
 * shown, with the hint that was not for the student. They are put in by their token ids.
 *
 * With `{shown}` it knows only rows that say what was shown. Owns the teacher.
 *
 * @throws PupilError for a template without `{prompt}` or `{shown}`, or with a placeholder that does
 *   not exist, and when it scores a row that lacks what it is to read
 * @see context distillation, Askell et al. 2021, arXiv 2112.00861, section 2.1
 */
export function promptedTeacher(
  teacher: Teacher,
  template: string,
  tokenizer: Pick<Tokenizer, "encode" | "startIds" | "endIds" | "padId">,
): Teacher {
  const parts = parseTemplate(template, tokenizer);
  const readsShown = parts.includes("shown");
  const withoutStart = (ids: readonly number[]) => {
    const starts = tokenizer.startIds.every((id, i) => ids[i] === id);
    return starts ? ids.slice(tokenizer.startIds.length) : ids;
  };
  const promptOf = (row: TokenSequence): number[] => {
    const { ids, completionStart, reference, shownPrompt } = row;
    if (readsShown && shownPrompt === undefined) throw nothingShown(row);
    const given = reference ?? ids.slice(completionStart);
    const values: Readonly<Record<RowPart, readonly number[]>> = {
      prompt: withoutStart(ids.slice(0, completionStart)),
      completion: given.filter((id) => !tokenizer.endIds.includes(id)),
      shown: withoutStart(shownPrompt ?? []),
    };
    const expand = (part: Part) => (typeof part === "string" ? values[part] : part);
    return [...tokenizer.startIds, ...parts.flatMap(expand)];
  };
  // What it would write to its own prompt is not what it says about the student's.
  const { complete: _complete, model: _model, ...inner } = teacher;
  return {
    ...inner,
    name: `${teacher.name} with a prompt of its own`,
    provides: teacher.provides.filter((signal) => !ofRows.includes(signal)),
    ...(readsShown && {
      knows: (row: TokenSequence) => row.shownPrompt !== undefined,
      remedyForUnknownRows,
    }),
    score: async (batch, needs, context) => {
      const prompts = batch.sequences.map(promptOf);
      const rows = batch.sequences.map(({ ids, completionStart }, i): TokenSequence => {
        const prompt = prompts[i] as number[];
        return { ids: [...prompt, ...ids.slice(completionStart)], completionStart: prompt.length };
      });
      const own = makeBatch(rows, tokenizer.padId, roundedLength(rows, teacher.maxPositions));
      const places = new HostValues(() => ({
        from: teacherPositions(batch, prompts, own.sequenceLength),
      }));
      const scores = await teacher.score(own, needs, context).catch((error: unknown) => {
        own.dispose();
        throw error;
      });
      return {
        tensors: () => tf.tidy(() => moveToStudent(scores.tensors(), places.tensors().from, batch)),
        source: () => joinedSource("prompted", [scores], [...own.tensors, ...places.reads()]),
        dispose: () => {
          scores.dispose?.();
          places.dispose();
          own.dispose();
        },
      };
    },
  };
}

/** For every position `[B·T]` of the student's batch the one of the teacher's, 0 where there is none. */
function teacherPositions(
  { sequences, size, sequenceLength }: Batch,
  prompts: readonly (readonly number[])[],
  teacherLength: number,
): tf.Tensor1D {
  const positions = new Int32Array(size * sequenceLength);
  for (const [i, { ids, completionStart, row, start }] of sequences.entries()) {
    const shift = (prompts[i] as readonly number[]).length - completionStart;
    // Position t predicts the id at t + 1, so the first that matters is completionStart − 1.
    for (let t = completionStart - 1; t + 1 < ids.length; t++) {
      positions[row * sequenceLength + start + t] = i * teacherLength + t + shift;
    }
  }
  return tf.tensor1d(positions, "int32");
}

function moveToStudent(
  { layers, ...tensors }: TeacherAnswer,
  from: tf.Tensor1D,
  { size, sequenceLength }: Batch,
): TeacherAnswer {
  const move = (tensor: tf.Tensor) => {
    const [, , ...rest] = tensor.shape;
    const rows = tensor.reshape([-1, ...rest]);
    return tf.gather(rows, from).reshape([size, sequenceLength, ...rest]);
  };
  const moved = (given: Readonly<Record<string, tf.Tensor>>) =>
    Object.fromEntries(Object.entries(given).map(([name, tensor]) => [name, move(tensor)]));
  const hiddenStates = layers?.hiddenStates && moved(layers.hiddenStates);
  return {
    ...moved(tensors),
    ...(hiddenStates ? { layers: { hiddenStates } } : {}),
  } as TeacherAnswer;
}

function parseTemplate(template: string, { encode }: Pick<Tokenizer, "encode">): Part[] {
  const parts = template.split(/(\{\w+\})/).filter((text) => text !== "");
  const nameOf = (text: string) => /^\{(\w+)\}$/.exec(text)?.[1];
  const partOf = (name: string | undefined) => rowParts.find((part) => part === name);
  const unknown = parts.find((text) => nameOf(text) !== undefined && !partOf(nameOf(text)));
  if (unknown !== undefined || !["{prompt}", "{shown}"].some((text) => parts.includes(text))) {
    const problem =
      unknown === undefined ? "has no {prompt}." : `has the unknown placeholder ${unknown}.`;
    throw new PupilError(problem, {
      field: "teacher.prompt",
      value: template,
      remedy:
        "Use {prompt}, or {shown} for what the writer of a row was shown, and {completion} for the right answer.",
    });
  }
  try {
    return parts.map((text): Part => partOf(nameOf(text)) ?? encode(text));
  } catch (cause) {
    if (!(cause instanceof PupilError)) throw cause;
    throw new PupilError(cause.message, { field: "teacher.prompt", value: template, cause });
  }
}

function nothingShown({ id }: TokenSequence): PupilError {
  return new PupilError("The row does not say what its writer was shown.", {
    field: id ?? "teacher.prompt",
    remedy: remedyForUnknownRows,
  });
}
