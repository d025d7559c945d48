import { PupilError } from "../../errors/index.js";
import { type LossInput, type LossTerm, needsOf } from "../../losses/index.js";
import {
  type AlignedSignal,
  alignedSignals,
  alignedTeacher,
  type Alignment,
  teacherSignals,
} from "../../teachers/index.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

/**
 * A loaded teacher that keeps its own tokenizer, whatever the run's is: what it says is aligned with
 * the student's tokens.
 *
 * @param loss decides which signal is aligned, unless the alignment says it
 * @throws PupilError if the teacher has no tokenizer of its own, or a loss needs what is not aligned
 */
export function alignLoadedTeacher(
  loaded: LoadedTeacher,
  alignment: Alignment,
  loss: readonly LossTerm[],
): LoadedTeacher {
  const { tokenizer: teacherTokenizer, notes } = loaded;
  if (teacherTokenizer === undefined) {
    throw new PupilError("This teacher has no tokenizer of its own to align.", {
      field: "alignment",
      remedy: "Leave `alignment` out.",
    });
  }
  checkAlignable(loss);
  const signal = alignment.signal ?? neededSignal(loss);
  const anyVocabulary = logitReaders(loss).map(takesAnyVocabulary);
  const { weights, settings, members, headHash } = loaded;
  return {
    ...(weights && { weights }),
    ...(settings && { settings }),
    ...(members && { members }),
    ...(headHash && { headHash }),
    notes: [...notes, `The teacher's tokenizer is its own; aligned: ${signal}.`],
    connect: async (run) => {
      const teacher = await loaded.connect({
        ...run,
        tokenizer: teacherTokenizer,
        vocabSize: undefined,
      });
      return alignedTeacher(teacher, {
        teacherTokenizer,
        studentTokenizer: run.tokenizer,
        signal,
        placement: alignment.placement,
        vocabulary:
          anyVocabulary.includes(true) && !anyVocabulary.includes(false) ? "teacher" : "student",
        keepsOwnLogits: anyVocabulary.includes(true),
        studentVocabSize: run.student.config.vocabSize,
      });
    },
    dispose: loaded.dispose,
  };
}

/** Lists of tokens and layers are of the teacher's own tokens: nothing places them on the student's. */
function checkAlignable(loss: readonly LossTerm[]): void {
  for (const { definition } of loss) {
    const absent = definition.needs.filter(
      (need) => isOfTeachers(need) && !alignedSignals.some((signal) => signal === need),
    );
    if (absent.length === 0) continue;
    throw new PupilError(
      `The loss ${definition.name} needs ${absent.join(", ")}, which cannot be aligned with the tokens of another tokenizer.`,
      {
        field: "alignment",
        remedy: `Use a loss on ${alignedSignals.join(" or ")}, or a teacher with the student's tokenizer and no alignment.`,
      },
    );
  }
}

function isOfTeachers(need: LossInput): boolean {
  return teacherSignals.some((signal) => signal === need);
}

function neededSignal(loss: readonly LossTerm[]): AlignedSignal {
  return needsOf(loss).includes("teacherLogits") ? "teacherLogits" : "teacherTokenLogProbs";
}

function logitReaders(loss: readonly LossTerm[]): LossTerm[] {
  return loss.filter(({ definition }) => definition.needs.includes("teacherLogits"));
}

/** Whether a term takes the teacher's logits in the teacher's own vocabulary. */
function takesAnyVocabulary({ definition }: LossTerm): boolean {
  return definition.properties.allowsOtherVocabulary === true;
}
