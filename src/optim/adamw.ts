import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { parseConfig, PupilError, requireMember } from "../errors/index.js";
import { adamwRates, adamwUpdate, clipScale } from "../ops/index.js";
import { createVariable, disposeAll, recorded } from "../tensors/index.js";

export const adamwSchema = z.strictObject({
  beta1: z.number().min(0).lt(1).default(0.9).describe("Decay of the gradient average."),
  beta2: z.number().min(0).lt(1).default(0.99).describe("Decay of the squared-gradient average."),
  epsilon: z.number().positive().default(1e-8).describe("Added to the denominator."),
  weightDecay: z
    .number()
    .nonnegative()
    .default(0)
    .describe("Decoupled weight decay, on matrices only (norms and biases are not decayed)."),
});
export type AdamWOptions = z.output<typeof adamwSchema>;

/** Everything needed to continue: moments by parameter name, and the number of updates so far. */
export interface AdamWState {
  readonly updates: number;
  readonly moments: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly data: Float32Array }
  >;
}

interface Moments {
  readonly first: tf.Variable;
  readonly second: tf.Variable;
}

/**
 * AdamW (Loshchilov & Hutter 2019, algorithm 2). Owns the moments, keyed by parameter name, so that
 * freezing or reordering parameters cannot mix them up.
 */
export class AdamW implements Disposable {
  readonly options: AdamWOptions;
  private readonly parameters: ReadonlyMap<string, tf.Variable>;
  private readonly moments = new Map<string, Moments>();
  private updateCount = 0;

  constructor(
    parameters: ReadonlyMap<string, tf.Variable>,
    options: z.input<typeof adamwSchema> = {},
  ) {
    requireMember(parameters, "entries", {
      field: "AdamW: parameters",
      remedy: "Give it a map of parameters by name: student.parameters.",
    });
    this.options = parseConfig(adamwSchema, options, "AdamW");
    this.parameters = parameters;
    for (const [name, parameter] of parameters) {
      if (!parameter.trainable) continue;
      this.moments.set(name, {
        first: createVariable(tf.zeros(parameter.shape), false),
        second: createVariable(tf.zeros(parameter.shape), false),
      });
    }
  }

  /** Number of updates so far; the next is number `updates + 1` in the bias correction. */
  get updates(): number {
    return this.updateCount;
  }

  /** Updates every parameter that has a gradient. Gradients are multiplied by `gradientScale` first. */
  apply(
    gradients: ReadonlyMap<string, tf.Tensor>,
    learningRate: number,
    gradientScale: tf.Scalar,
  ): void {
    this.update(gradients, learningRate, gradientScale, "", () => gradientScale);
  }

  /** The same with the scale that brings their global norm down to `maxGradNorm`, if there is such a limit. */
  applyClipped(
    gradients: ReadonlyMap<string, tf.Tensor>,
    learningRate: number,
    { norm, maxGradNorm }: { readonly norm: tf.Scalar; readonly maxGradNorm: number | undefined },
  ): void {
    const clip = () => clipScale(norm, maxGradNorm);
    this.update(gradients, learningRate, norm, `clipped at ${maxGradNorm}`, clip);
  }

  /** @param how says what `scaleOf` makes of `given` */
  private update(
    gradients: ReadonlyMap<string, tf.Tensor>,
    learningRate: number,
    given: tf.Scalar,
    how: string,
    scaleOf: () => tf.Scalar,
  ): void {
    const { weightDecay, ...options } = this.options;
    const parameters = [...gradients].map(([name, gradient]) => {
      const parameter = this.parameters.get(name);
      const moments = this.moments.get(name);
      if (parameter === undefined || moments === undefined) {
        throw new Error(`AdamW has no trainable parameter called ${name}.`);
      }
      return {
        parameter,
        firstMoment: moments.first,
        secondMoment: moments.second,
        gradient,
        weightDecay: parameter.rank >= 2 ? weightDecay : 0,
      };
    });
    this.updateCount += 1;
    const settings = { ...options, learningRate, step: this.updateCount };
    const rates = adamwRates(settings);
    const callOf = () => {
      const states = parameters.flatMap((p) => [p.parameter, p.firstMoment, p.secondMoment]);
      const reads = [rates, given, ...gradients.values(), ...states];
      const key = JSON.stringify([how, [...gradients.keys()]]);
      return { owner: this, name: "update", key, reads };
    };
    recorded(callOf, () => {
      tf.tidy(() => adamwUpdate(parameters, scaleOf(), settings, rates));
      return { tensors: {}, facts: undefined };
    });
    rates.dispose();
  }

  /** Reads the moments, named `<parameter>.firstMoment` and `<parameter>.secondMoment`. */
  async state(): Promise<AdamWState> {
    const moments = new Map<string, { shape: number[]; data: Float32Array }>();
    for (const [name, variable] of this.namedMoments()) {
      const data = (await variable.data<"float32">()).slice();
      moments.set(name, { shape: variable.shape, data });
    }
    return { updates: this.updateCount, moments };
  }

  /**
   * Restores a state.
   *
   * @param source how errors call it, such as its file
   * @throws PupilError if it is not that of these parameters; nothing is changed then
   */
  restore(state: AdamWState, source = "optimizer state"): void {
    const mine = new Map(this.namedMoments());
    const fail = (problem: string): never => {
      const remedy = "Resume from a checkpoint of the same run.";
      throw new PupilError(problem, { field: source, remedy });
    };
    for (const [name, { shape }] of mine) {
      const saved = state.moments.get(name);
      const expected = `expected [${shape.join(", ")}]`;
      if (saved === undefined) return fail(`${name} is missing; ${expected}.`);
      if (saved.shape.join() !== shape.join()) {
        fail(`${name} has the shape [${saved.shape.join(", ")}]; ${expected}.`);
      }
    }
    const other = [...state.moments.keys()].find((name) => !mine.has(name));
    if (other !== undefined) fail(`${other} is of no parameter that is trained here.`);
    if (!Number.isSafeInteger(state.updates) || state.updates < 0) {
      fail(`${state.updates} is no number of updates.`);
    }
    for (const [name, variable] of mine) {
      const { data } = state.moments.get(name) as { readonly data: Float32Array };
      tf.tidy(() => variable.assign(tf.tensor(data, variable.shape, "float32")));
    }
    this.updateCount = state.updates;
  }

  private *namedMoments(): Generator<[string, tf.Variable]> {
    for (const [name, { first, second }] of this.moments) {
      yield [`${name}.firstMoment`, first];
      yield [`${name}.secondMoment`, second];
    }
  }

  dispose(): void {
    for (const { first, second } of this.moments.values()) disposeAll([first, second]);
    this.moments.clear();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
