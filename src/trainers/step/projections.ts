import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { inputsOf, type LayerPair, type LossTerm } from "../../losses/index.js";
import { type LayerSizes, variableState, type VariableState } from "../../models/index.js";
import { linear } from "../../ops/index.js";
import { createVariable, disposeAll, type Random } from "../../tensors/index.js";

/**
 * Learned linear maps from the student's width to the teacher's, one for each pair of layers whose
 * hidden states are compared: `h ↦ W h`, W `[Dt, Ds]`. They belong to the training and not to the
 * student, and are dropped with it. Owns its variables.
 *
 * @see FitNets, https://arxiv.org/abs/1412.6550, section 2.2; TinyBERT, https://arxiv.org/abs/1909.10351, equation 8
 */
export class Projections implements Disposable {
  /** By name, for the optimizer. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /** For checkpoints. */
  readonly state: VariableState;

  /** What to tell the user before the run starts. */
  readonly notes: readonly string[];

  /** Takes ownership of the variables, named by {@link projectionName}. */
  constructor(parameters: ReadonlyMap<string, tf.Variable>) {
    this.parameters = parameters;
    this.state = variableState(parameters, "projections");
    this.notes = [...parameters].map(
      ([name, { shape }]) =>
        `Learned beside the student: ${name} [${shape.join(", ")}], from its width to the teacher's.`,
    );
  }

  /** `[B, T, Ds]` to `[B, T, Dt]`. */
  apply(pair: LayerPair, hiddenStates: tf.Tensor3D): tf.Tensor3D {
    const weight = this.parameters.get(projectionName(pair));
    if (weight === undefined) throw new Error(`There is no projection ${pair.join(" → ")}.`);
    return linear(hiddenStates, weight as unknown as tf.Tensor2D) as tf.Tensor3D;
  }

  dispose(): void {
    disposeAll(this.parameters.values());
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** The layers of both models, where they show them. */
export interface ComparedSizes {
  readonly student: LayerSizes | undefined;
  readonly teacher: LayerSizes | undefined;
}

function projectionName([student, teacher]: LayerPair): string {
  return `projections.${student}-${teacher}.weight`;
}

/** The pairs of layers whose hidden states some term compares, each once; by default the last ones. */
function hiddenPairs(
  terms: readonly LossTerm[],
  student: LayerSizes,
  teacher: LayerSizes,
): LayerPair[] {
  const last: readonly LayerPair[] = [[student.numLayers, teacher.numLayers]];
  const pairs = terms.flatMap(({ definition, layers = last }) =>
    inputsOf(definition).includes("studentHiddenStates") ? layers : [],
  );
  return [...new Map(pairs.map((pair) => [projectionName(pair), pair])).values()];
}

/**
 * The projections that the terms need; undefined where the widths agree or no hidden states are
 * compared. Normal weights of standard deviation 1/√Ds, so that lengths stay.
 */
export function makeProjections(
  terms: readonly LossTerm[],
  { student, teacher }: ComparedSizes,
  random: Random,
): Projections | undefined {
  if (student === undefined || teacher === undefined) return undefined;
  const pairs = hiddenPairs(terms, student, teacher);
  const [from, to] = [student.hiddenSize, teacher.hiddenSize];
  if (from === to || pairs.length === 0) return undefined;
  const parameters = pairs.map((pair): [string, tf.Variable] => {
    const name = projectionName(pair);
    const stream = random.stream(name);
    const values = Float32Array.from({ length: from * to }, () => stream.normal() / from ** 0.5);
    return [name, createVariable(tf.tensor2d(values, [to, from]))];
  });
  return new Projections(new Map(parameters));
}

/** @throws PupilError if the widths differ and nothing brings them together */
export function checkProjections(
  terms: readonly LossTerm[],
  { student, teacher }: ComparedSizes,
  projections: Projections | undefined,
): void {
  if (student === undefined || teacher === undefined) return;
  if (student.hiddenSize === teacher.hiddenSize) return;
  const names = hiddenPairs(terms, student, teacher).map(projectionName);
  if (names.every((name) => projections?.parameters.has(name))) return;
  throw new PupilError(
    `Hidden states of width ${student.hiddenSize} are compared with ones of width ${teacher.hiddenSize}.`,
    {
      field: "projections",
      remedy: "Make them with makeProjections, and give them to the optimizer and the trainer.",
    },
  );
}
