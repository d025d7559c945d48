import { PupilError } from "../../errors/index.js";
import {
  answerPairInputs,
  inputsOf,
  type LossInput,
  lossInputFacts,
  type LossTerm,
  needsOf,
  readsLayers,
} from "../../losses/index.js";
import type { LayerSizes } from "../../models/index.js";
import {
  kindsThatGive,
  type Teacher,
  type TeacherSignal,
  teacherSignals,
} from "../../teachers/index.js";
import { layerPairs } from "../step/layer-terms.js";

/** What a trainer has to offer to a loss. */
export interface LossSupply {
  readonly studentVocabSize: number;
  /** Absent where the trainer has none. */
  readonly teacher?: Pick<Teacher, "name" | "vocabSize" | "provides" | "layerSizes" | "scoresOnly">;
  /** Of a student that shows its layers. */
  readonly studentLayers?: LayerSizes | undefined;
  /** Share of rows that the student samples itself. */
  readonly onPolicyFraction: number;
  /** Whether a replay decides whose rows a step has, in place of that share. Default: false. */
  readonly hasReplay?: boolean;
  readonly gradientAccumulationSteps: number;
  /** Whether a row may hold several sequences. Default: false. */
  readonly packing?: boolean;
  /** Whether rows are pairs of answers. Default: false. */
  readonly pairs?: boolean;
  /** Whether rows are lists of candidates, and whether a teacher scores them. */
  readonly lists?: { readonly hasTeacher: boolean };
  /**
   * Whether every row is a rollout that is compared with others, in which others may have written
   * tokens that are ground truth. Default: false.
   */
  readonly reinforce?: boolean;
  /** See `teacherAdvantages`. Default: 0. */
  readonly advantageDiscount?: number;
}

/** From the student's own forward pass and the batch. */
const fromStudent: readonly LossInput[] = [
  ...(["studentLogits", "labels", "tokenLogProbs", "positionMask"] as const),
  ...(["studentHiddenStates", "studentAttentions", "studentKeys", "studentValues"] as const),
];
/** From the student's sampling; the advantages are made of the teacher's opinion of it. */
const fromRollouts: readonly LossInput[] = ["oldTokenLogProbs", "advantages"];
/** What rewards say of tokens that somebody else wrote into a rollout. */
const fromGuidance: readonly LossInput[] = ["guidedAdvantages"];
/** From two answers to a prompt, in a trainer of pairs. */
const fromPairs: readonly LossInput[] = answerPairInputs;
/** What the reference model says of their tokens: its teacherTokenLogProbs. */
const fromReference: readonly LossInput[] = [
  "referencePositiveTokenLogProbs",
  "referenceNegativeTokenLogProbs",
];
const fromTeachers: readonly LossInput[] = teacherSignals;
/** From candidates of a query, in a trainer of rankings. */
const fromLists: readonly LossInput[] = ["studentScores", "teacherScores", "listMask"];

/**
 * The signals to ask the teacher for, or an error before the run starts if a term needs what it
 * would not get: an input that this trainer or teacher does not have, rows that never come, rows
 * that are compared but would be split up.
 */
export function checkLoss(loss: readonly LossTerm[], supply: LossSupply): TeacherSignal[] {
  checkOnPolicy(supply);
  for (const term of loss) {
    if (supply.lists !== undefined) {
      checkLists(term, supply.lists);
      continue;
    }
    if (supply.pairs === true) {
      checkPairInputs(term, supply);
      continue;
    }
    checkInputs(term, supply);
    checkLayers(term, supply);
    checkRows(term, supply);
    checkTokens(term, supply);
    checkPacking(term, supply);
  }
  checkVocabulary(loss, supply);
  const needs = needsOf(loss);
  if (needs.some((need) => fromReference.includes(need))) return ["teacherTokenLogProbs"];
  const direct = needs.filter((need) => fromTeachers.includes(need)) as TeacherSignal[];
  const { teacher } = supply;
  const given = direct.filter((signal) => teacher?.provides.includes(signal));
  // Rewards make advantages without a teacher.
  const areTeachers = supply.reinforce !== true && needs.includes("advantages");
  const wantsAdvantages = areTeachers && !given.includes("teacherTokenLogProbs");
  return wantsAdvantages ? [...given, "teacherTokenLogProbs"] : given;
}

function refuse(term: LossTerm, problem: string, remedy: string): PupilError {
  return new PupilError(`The loss ${term.definition.name} ${problem}`, { field: "loss", remedy });
}

function checkInputs(term: LossTerm, { teacher, reinforce = false }: LossSupply): void {
  const { needs } = term.definition;
  const provided: readonly LossInput[] = teacher?.provides ?? [];
  const supplied = [
    ...fromStudent,
    ...(teacher === undefined && !reinforce ? [] : fromRollouts),
    ...(reinforce ? fromGuidance : []),
    ...provided,
  ];
  const absent = needs.filter((need) => !supplied.includes(need));
  if (absent.length === 0) return;
  const missing = `needs ${absent.join(", ")}, which`;
  if (teacher === undefined) {
    const isTeachers = reinforce && absent.every((need) => fromTeachers.includes(need));
    throw isTeachers
      ? refuse(term, `${missing} only a teacher gives, and there is none.`, 'Set "teacher".')
      : refuse(term, `${missing} this trainer does not have.`, trainersFor(needs));
  }
  if (!absent.every((need) => fromTeachers.includes(need))) {
    throw refuse(term, `${missing} this trainer does not have.`, trainersFor(needs));
  }
  const wantsTokens = absent.includes("teacherTokenIds");
  const remedy = wantsTokens
    ? "Set teacher.topK (its likeliest tokens) or teacher.samples (draws, for sampled-kl)."
    : `It gives ${provided.join(", ")}. ${teachersThatGive(absent as TeacherSignal[])}`;
  throw refuse(term, `${missing} the teacher "${teacher.name}" cannot give.`, remedy);
}

/** Which trainers have all that a loss needs. */
function trainersFor(needs: readonly LossInput[]): string {
  const inputs: Record<string, readonly LossInput[]> = {
    sft: fromStudent,
    distill: [...fromStudent, ...fromRollouts, ...fromTeachers],
    reinforce: [...fromStudent, ...fromRollouts, ...fromGuidance, ...fromTeachers],
    pairs: [...fromPairs, ...fromReference],
    rank: fromLists,
  };
  const able = Object.keys(inputs).filter((name) =>
    needs.every((need) => inputs[name]?.includes(need)),
  );
  if (able.length > 0) return `A trainer that can: ${able.join(", ")}.`;
  return "No trainer has all of it: compute the loss in code of your own, as docs/losses.md shows.";
}

function checkLayers(term: LossTerm, { studentLayers, teacher }: LossSupply): void {
  if (!readsLayers(term.definition)) return;
  if (studentLayers === undefined) {
    throw refuse(term, "compares layers, which this student does not show.", "Leave the term out.");
  }
  const teacherLayers = teacher?.layerSizes;
  if (teacherLayers === undefined) {
    const whose = teacher === undefined ? "there is no teacher" : `"${teacher.name}" shows none`;
    const problem = `compares layers of the student with a teacher's, but ${whose}.`;
    throw refuse(term, problem, teachersThatGive(["teacherHiddenStates"]));
  }
  layerPairs(term, studentLayers, teacherLayers);
}

function checkPairInputs(term: LossTerm, { teacher }: LossSupply): void {
  const { needs } = term.definition;
  const foreign = needs.filter((need) => ![...fromPairs, ...fromReference].includes(need));
  if (foreign.length > 0) {
    const problem = `needs ${foreign.join(", ")}, which a trainer of pairs does not have.`;
    throw refuse(
      term,
      problem,
      `It supplies ${[...fromPairs, ...fromReference].join(", ")}, for losses such as dpo or redi. ${trainersFor(needs)}`,
    );
  }
  if (!needs.some((need) => fromReference.includes(need))) return;
  if (teacher?.provides.includes("teacherTokenLogProbs")) return;
  throw refuse(
    term,
    "compares with a reference model, but there is none that gives teacherTokenLogProbs.",
    'Set teacher.from to the model that the student starts from; for a student with an adapter, teacher to { "type": "self", "adapter": "none" }.',
  );
}

function checkLists(term: LossTerm, { hasTeacher }: NonNullable<LossSupply["lists"]>): void {
  const { needs } = term.definition;
  const foreign = needs.filter((need) => !fromLists.includes(need));
  if (foreign.length > 0) {
    const problem = `needs ${foreign.join(", ")}, which a trainer of rankings does not have.`;
    const supplied = `It supplies ${fromLists.join(", ")}, for losses such as rank-net or list-kl.`;
    throw refuse(term, problem, `${supplied} ${trainersFor(needs)}`);
  }
  if (term.scores !== "teacher" || hasTeacher) return;
  throw refuse(
    term,
    "learns a teacher's scores (scores: teacher), but there are none.",
    'Set trainer.scores to the folder of a reranker or a file of scores, or `scores` of the term to "grades" or "relevance".',
  );
}

/** A model in this process gives every signal, so that there is always one. */
const teachersThatGive = (signals: readonly TeacherSignal[]): string =>
  `Teachers that can: ${kindsThatGive(signals).join(", ")}.`;

/** A teacher that knows only given rows cannot say anything about what a student writes. */
function checkOnPolicy({ teacher, onPolicyFraction, hasReplay = false }: LossSupply): void {
  if (teacher?.scoresOnly === undefined || onPolicyFraction === 0) return;
  if (hasReplay) {
    throw new PupilError(
      `has rows that the student writes, but the teacher "${teacher.name}" scores only ${teacher.scoresOnly}.`,
      {
        field: "trainer.replay",
        remedy:
          "Leave it out and set trainer.onPolicyFraction to 0, or use a teacher that is there during the run.",
      },
    );
  }
  throw new PupilError(
    `is ${onPolicyFraction}, but the teacher "${teacher.name}" scores only ${teacher.scoresOnly}, not what the student writes.`,
    {
      field: "trainer.onPolicyFraction",
      value: onPolicyFraction,
      remedy: "Set trainer.onPolicyFraction to 0, or use a teacher that is there during the run.",
    },
  );
}

/** Labels are ground truth in rows of the data only, sampled tokens exist in rollouts only. */
function checkRows(term: LossTerm, supply: LossSupply): void {
  const { definition } = term;
  const { onPolicyFraction, gradientAccumulationSteps, reinforce = false } = supply;
  const rows = new Set(definition.needs.map((need) => lossInputFacts(need).rows));
  if (rows.has("data") && rows.has("rollouts")) {
    throw refuse(
      term,
      "needs labels and sampled tokens, which no row has both of.",
      "Make two losses of it.",
    );
  }
  // In a rollout, what others wrote is ground truth.
  if (rows.has("data") && onPolicyFraction === 1 && !reinforce) {
    throw refuse(
      term,
      "reads labels, but with onPolicyFraction 1 no row is from the data.",
      "Lower trainer.onPolicyFraction, or leave the term out.",
    );
  }
  if (rows.has("rollouts") && onPolicyFraction === 0) {
    throw refuse(
      term,
      "reads tokens that the student sampled, but no row is one.",
      "Use the distill trainer with onPolicyFraction above 0.",
    );
  }
  if (definition.properties.comparesRows === true && gradientAccumulationSteps > 1) {
    throw refuse(
      term,
      "compares the rows of a batch, which micro-batches would change.",
      "Set trainer.gradientAccumulationSteps to 1.",
    );
  }
}

/** A packed row holds several examples: what is said of a row, or of a place in it, is wrong then. */
function checkPacking(
  term: LossTerm,
  { packing = false, advantageDiscount = 0 }: LossSupply,
): void {
  if (!packing) return;
  const { per, properties, needs } = term.definition;
  const remedy = "Set trainer.packing to false, or leave the term out.";
  if (properties.comparesRows === true) {
    throw refuse(term, "compares the rows of a batch, but a packed row is no example.", remedy);
  }
  if (per === "row") {
    throw refuse(term, "has one value per row, but a packed row is no example.", remedy);
  }
  if (needs.includes("advantages") && advantageDiscount > 0) {
    throw refuse(
      term,
      "would discount advantages over the end of a sequence, into the next one in its row.",
      "Set trainer.packing to false or trainer.advantageDiscount to 0.",
    );
  }
}

/** Draws and likeliest tokens are not interchangeable: either loss would be wrong on the other's. */
function checkTokens(term: LossTerm, { teacher }: LossSupply): void {
  const reads = inputsOf(term.definition);
  if (teacher === undefined || !reads.includes("teacherTokenIds")) return;
  const wantsDraws = reads.includes("teacherSampleLogProbs");
  const givesDraws = teacher.provides.includes("teacherSampleLogProbs");
  if (wantsDraws === givesDraws) return;
  throw refuse(
    term,
    wantsDraws
      ? `needs tokens drawn from the teacher, but "${teacher.name}" gives its likeliest ones.`
      : `needs the teacher's likeliest tokens, but "${teacher.name}" gives draws.`,
    wantsDraws ? "Set teacher.samples in place of topK." : "Set teacher.topK in place of samples.",
  );
}

function checkVocabulary(loss: readonly LossTerm[], supply: LossSupply): void {
  const { teacher, studentVocabSize } = supply;
  if (teacher === undefined || teacher.vocabSize === studentVocabSize) return;
  const strict = loss.some(({ definition }) => {
    const readsTeacher = definition.needs.some((need) => fromTeachers.includes(need));
    return readsTeacher && definition.properties.allowsOtherVocabulary !== true;
  });
  if (!strict) return;
  throw new PupilError(
    `Teacher "${teacher.name}" has a vocabulary of ${teacher.vocabSize} tokens, the student of ${studentVocabSize}.`,
    {
      field: "teacher",
      remedy: "Token-level losses need one vocabulary: give the student the teacher's tokenizer.",
    },
  );
}
