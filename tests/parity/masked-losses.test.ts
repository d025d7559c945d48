/**
 * Losses on masked vocabularies, tokens with a logit or log-probability of −Infinity on either side or on
 * both, against PyTorch in float64: scripts/fixtures/losses/masked_losses.py. A KL is infinite where the
 * second distribution rules out what the first does not; then there is no gradient.
 */
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startBackend } from "../../src/backend/index.js";
import {
  findLoss,
  lossTerm,
  type LossTensors,
  parseGoldenCases,
  runGoldenCase,
} from "../../src/losses/index.js";
import { nodePlatform } from "../../src/node/index.js";
import { lossesFromHidden } from "../../src/ops/index.js";
import { useCpu } from "../setup/backends/backend.js";

const file = new URL("fixtures/masked-losses/masked.json", import.meta.url);
const cases = parseGoldenCases(JSON.parse(readFileSync(file, "utf8")), "masked.json").map(
  (golden, i) => ({ title: `${golden.loss} ${JSON.stringify(golden.config)} (${i})`, golden }),
);

const numbers = (nested: unknown): number[] =>
  Array.isArray(nested) ? nested.flatMap(numbers) : [Number(nested)];

/** Those that can be computed from hidden states: a head makes no infinite logits. */
const fused = cases.filter(
  ({ golden }) =>
    findLoss(golden.loss).rowLosses !== undefined &&
    numbers(golden.inputs["studentLogits"]).every(Number.isFinite),
);

describe.each(["cpu", "wasm"] as const)("masked vocabularies on %s", (backend) => {
  beforeAll(async () => {
    await startBackend(backend, { platform: nodePlatform });
  });
  afterAll(useCpu);

  test.each(cases)("$title", async ({ golden }) => {
    const { worstError, where } = await runGoldenCase(findLoss(golden.loss), golden);
    expect(worstError, where).toBeLessThanOrEqual(1e-5);
  });

  test.each(fused)("$title from hidden states", async ({ golden }) => {
    const { definition, config } = lossTerm(findLoss(golden.loss), { ...golden.config });
    const losses = definition.rowLosses?.(config) ?? [];
    const rows = golden.inputs["studentLogits"] as number[][][];
    const teacher = numbers(golden.inputs["teacherLogits"]);
    const [B, T, V] = [rows.length, rows[0]?.length ?? 0, rows[0]?.[0]?.length ?? 0];
    const results = tf.tidy(() => {
      const logits = tf.tensor3d(teacher, [B, T, V]);
      const given = tf.tensor3d(numbers(rows), [B, T, V]);
      const rowWeights = tf.ones<tf.Rank.R2>([B, T]);
      const run = (hidden: tf.Tensor) =>
        lossesFromHidden(
          { student: { hidden: hidden as tf.Tensor3D, head: tf.eye(V) }, teacher: { logits } },
          losses.map((loss) => ({ loss, rowWeights })),
        ).total;
      return [run(given), tf.grad(run)(given)];
    });
    const [total, gradient] = await Promise.all(results.map((t) => t.data()));
    tf.dispose(results);
    const wanted = numbers(golden.expected.values).reduce((a, b) => a + b, 0);
    if (wanted === Infinity) expect(total?.[0]).toBe(Infinity);
    else expect(total?.[0]).toBeCloseTo(wanted, 4);
    for (const [i, g] of numbers(golden.expected.gradients?.["studentLogits"] ?? []).entries()) {
      expect(gradient?.[i]).toBeCloseTo(g, 5);
    }
  });

  test("a token of weight 0 gives nothing, though it is ruled out", () => {
    const ids = tf.tensor3d([[[0, 1, 2]]], [1, 1, 3], "int32");
    const inputs = {
      studentLogits: tf.tensor3d([[[1, 0.5, 0]]]),
      teacherTokenIds: ids,
      teacherTopLogProbs: tf.tensor3d([[[-0.5, -Infinity, -1]]]),
      tokenLogProbs: tf.tensor2d([[-1]]),
      oldTokenLogProbs: tf.tensor2d([[-1]]),
      teacherTokenLogProbs: tf.tensor2d([[-Infinity]]),
    };
    const terms = [
      ["sparse-kl", { direction: "reverse", support: "raw" }, "studentLogits"],
      ["sampled-kl", {}, "studentLogits"],
      ...["k2", "policy-gradient", "k3-forward-gradient", "k1-no-gradient"].map(
        (estimator) => ["sampled-reverse-kl", { estimator }, "tokenLogProbs"] as const,
      ),
    ] as const;
    for (const [name, options, trained] of terms) {
      const { definition, config } = lossTerm(findLoss(name), options);
      const gradient = tf.tidy(() =>
        tf
          .grad((x: tf.Tensor) => {
            const value = definition.evaluate({ ...inputs, [trained]: x } as never, config);
            return tf.where(tf.scalar(false), value, tf.zerosLike(value)).sum();
          })(inputs[trained])
          .dataSync(),
      );
      expect(gradient.map(Math.abs), name).toEqual(new Float32Array(gradient.length));
    }
    tf.dispose(inputs);
  });

  test("a row of weight 0 gives nothing, though its KL is infinite", () => {
    const student = tf.tensor3d([[[1, 0.5, 0]]]);
    const teacher = tf.tensor3d([[[1, -Infinity, 0]]]);
    for (const loss of ["forward-kl", "reverse-kl", "symmetric-kl", "adaptive-kl"] as const) {
      const { definition, config } = lossTerm(findLoss(loss), {});
      // Student and teacher the other way round, so that the forward KL is infinite too.
      const [s, t] = loss === "forward-kl" ? [teacher, student] : [student, teacher];
      const gradient = tf.tidy(() =>
        tf
          .grad((x: tf.Tensor) => {
            const inputs = { studentLogits: x, teacherLogits: t } as never;
            const value = definition.evaluate(inputs, config) as LossTensors["token"];
            return tf.where(tf.scalar(false), value, tf.zerosLike(value)).sum();
          })(s)
          .dataSync(),
      );
      expect(gradient.map(Math.abs), loss).toEqual(new Float32Array(3));
    }
    tf.dispose([student, teacher]);
  });
});
