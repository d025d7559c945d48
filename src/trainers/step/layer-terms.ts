import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import {
  evaluateTerm,
  inputsOf,
  type LayerPair,
  type LossInput,
  lossInputFacts,
  type LossInputs,
  type LossState,
  type LossTerm,
  readsLayers,
  type StateNumbers,
} from "../../losses/index.js";
import {
  firstLayer,
  type LanguageModel,
  type LayerRequest,
  type LayerResults,
  type LayerSizes,
  type LayerState,
} from "../../models/index.js";
import type { ComparedSizes, Projections } from "./projections.js";

/** The layers of a student, where it shows them. */
export function layerSizesOf(student: LanguageModel): LayerSizes | undefined {
  return student.forwardWithLayers && student.config;
}

type Side = 0 | 1;
const sides = { student: 0, teacher: 1 } as const satisfies Record<string, Side>;

/** Where an input is a state of a layer: which one, and of which model. */
function layerOf(input: LossInput): { state: LayerState; side: Side } | undefined {
  const { layer: state, gradient } = lossInputFacts(input);
  return state && { state, side: gradient ? sides.student : sides.teacher };
}

function statesOf(term: LossTerm): LayerState[] {
  const states = inputsOf(term.definition).map((input) => lossInputFacts(input).layer);
  return [...new Set(states)].filter((state) => state !== undefined);
}

/**
 * The pairs of layers that a term compares: its own, or the last of both.
 *
 * @throws PupilError if a model has no such layer, or other heads
 */
export function layerPairs(
  term: LossTerm,
  student: LayerSizes,
  teacher: LayerSizes,
): readonly LayerPair[] {
  const { definition, layers } = term;
  const states = statesOf(term);
  const pairs = layers ?? [[student.numLayers, teacher.numLayers] as const];
  const refuse = (problem: string, remedy: string, value?: unknown) =>
    new PupilError(`The loss ${definition.name} ${problem}`, { field: "loss", value, remedy });
  const first = Math.max(...states.map(firstLayer));
  for (const [role, side] of Object.entries(sides)) {
    const { numLayers } = side === sides.student ? student : teacher;
    const other = pairs.find((pair) => pair[side] < first || pair[side] > numLayers);
    if (other === undefined) continue;
    const problem = `compares layer ${other[side]} of the ${role}, which has layers ${first} to ${numLayers}`;
    throw refuse(`${problem} for it.`, "Change its `layers`: pairs [student, teacher].", pairs);
  }
  const sizes = states.flatMap((state) => comparedSizes[state]);
  for (const size of new Set(sizes)) {
    if (student[size] === teacher[size]) continue;
    const problem = `compares head with head, but ${size} is ${student[size]} in the student and ${teacher[size]} in the teacher.`;
    throw refuse(problem, "Use hidden-state, or a student with the teacher's heads.");
  }
  return pairs;
}

/** What must agree for states to be compared entry by entry. Widths are brought together. */
const comparedSizes: Record<LayerState, readonly (keyof LayerSizes)[]> = {
  hiddenStates: [],
  attentions: ["numHeads"],
  keys: ["numKeyValueHeads", "headDim"],
  values: ["numKeyValueHeads", "headDim"],
};

/**
 * The terms with their pairs of layers settled.
 *
 * @throws PupilError as {@link layerPairs}
 */
export function settleLayers(
  terms: readonly LossTerm[],
  { student, teacher }: ComparedSizes,
): LossTerm[] {
  return terms.map((term) => {
    if (!readsLayers(term.definition)) return term;
    if (student === undefined || teacher === undefined) {
      throw new Error(`The loss ${term.definition.name} needs models that show their layers.`);
    }
    return { ...term, layers: layerPairs(term, student, teacher) };
  });
}

/** What settled terms read of the layers of the student or of the teacher; undefined if nothing. */
export function requestedLayers(
  terms: readonly LossTerm[],
  model: keyof typeof sides,
): LayerRequest | undefined {
  const wanted: { [S in LayerState]?: number[] } = {};
  for (const { definition, layers = [] } of terms) {
    for (const input of inputsOf(definition)) {
      const read = layerOf(input);
      if (read?.side !== sides[model]) continue;
      const known = wanted[read.state] ?? [];
      wanted[read.state] = [...new Set([...known, ...layers.map((pair) => pair[read.side])])];
    }
  }
  return Object.keys(wanted).length === 0 ? undefined : wanted;
}

/** The states of both models, and what brings them together. */
export interface ComparedLayers {
  readonly student: LayerResults;
  readonly teacher: LayerResults;
  readonly projections?: Projections | undefined;
}

/**
 * Values of a settled term, `[B, T]` or `[B]`. Heads of all its layers stand side by side; hidden
 * states come a pair of layers at a time, and the value is the mean over the pairs.
 */
export function evaluateOnLayers(
  term: LossTerm,
  inputs: Partial<LossInputs>,
  compared: ComparedLayers,
  state?: LossState,
  numbers?: StateNumbers,
): tf.Tensor2D | tf.Tensor1D {
  const { definition, layers: pairs } = term;
  if (!readsLayers(definition)) return evaluateTerm(term, inputs, state, numbers);
  if (pairs === undefined) throw new Error(`The layers of ${definition.name} are not settled.`);
  const heads = statesAt(term, compared, pairs, (read) => read !== "hiddenStates");
  const rounds = statesOf(term).includes("hiddenStates") ? pairs : pairs.slice(0, 1);
  const values = rounds.map((pair) => {
    const hidden = statesAt(term, compared, [pair], (read) => read === "hiddenStates");
    return evaluateTerm(term, { ...inputs, ...heads, ...hidden }, state, numbers);
  });
  return tf.addN(values).div<tf.Tensor1D>(values.length);
}

/** Inputs of a term that are states of these layers, several side by side on the axis of the heads. */
function statesAt(
  term: LossTerm,
  { student, teacher, projections }: ComparedLayers,
  pairs: readonly LayerPair[],
  isRead: (state: LayerState) => boolean,
): Partial<LossInputs> {
  const entries = inputsOf(term.definition).flatMap((input) => {
    const read = layerOf(input);
    if (read === undefined || !isRead(read.state)) return [];
    const { state, side } = read;
    const states = pairs.map((pair): tf.Tensor => {
      const x = (side === sides.student ? student : teacher)[state]?.[pair[side]];
      if (x === undefined) throw new Error(`There is no ${input} of layer ${pair[side]}.`);
      const projected = state === "hiddenStates" && side === sides.student;
      return projected ? (projections?.apply(pair, x as tf.Tensor3D) ?? x) : x;
    });
    return [[input, states.length === 1 ? states[0] : tf.concat(states, 1)] as const];
  });
  return Object.fromEntries(entries) as Partial<LossInputs>;
}
