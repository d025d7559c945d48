import * as tf from "@tensorflow/tfjs-core";
import { z } from "zod";
import { contextLength, type LanguageModel } from "../../models/index.js";
import type { Rollout } from "../sample-rollouts.js";
import { sampleFrom } from "../sample-rollouts.js";
import { modelSource, type TokenSource } from "../token-source.js";
import { samplesField } from "./fields.js";
import { requireOneVocabulary } from "./mixed.js";
import { defineSampler } from "./sampler.js";
import { closeRow, openRows, type WrittenToken } from "./writing/open-row.js";
import { modelOf, rowsPerPass, sequenceId } from "./writing/write-on.js";

const config = z.strictObject({
  samplesPerProblem: samplesField(1),
  teacherShare: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe("α: share of the teacher in the distribution that tokens are drawn from."),
});

/**
 * Every token is drawn from p̃ = α p_teacher + (1 − α) p_student, both at temperature 1; `sampling`
 * applies to p̃.
 *
 * The policy that wrote a row is p̃: its `tokenLogProbs` are log p̃ and its tokens count as the
 * student's own, so that the ratio of policies which a clipped policy gradient forms, π_θ / p̃, is
 * MiniLLM's importance weight.
 */
export const teacherMixedSampler = defineSampler({
  name: "teacher-mixed",
  summary: "Tokens are drawn from a mixture of the teacher's and the student's distribution.",
  reference: "MiniLLM (Gu et al. 2024), section 2.2",
  needs: ["student", "teacher"],
  config,
  async sample(problems, { samplesPerProblem, teacherShare }, context) {
    requireOneVocabulary(context);
    const { tokenizer, policy, maxNewTokens, maxPositions, random } = context;
    const { endIds, padId } = tokenizer;
    const source = mixtureSource(
      modelOf("student", context),
      modelOf("teacher", context),
      teacherShare,
    );
    const opened = openRows(context, problems, samplesPerProblem, () => ({
      source: "teacher-mixed",
    }));
    const rollouts: Rollout[] = [];
    for (let start = 0; start < opened.length; start += rowsPerPass) {
      const part = opened.slice(start, start + rowsPerPass);
      const written = await sampleFrom(source, {
        ...{ endIds, padId, maxNewTokens, maxPositions, policy },
        prompts: part.map(({ promptIds }) => promptIds),
        random: random.stream("mixture"),
        sequenceIds: part.map(sequenceId),
      });
      rollouts.push(...written);
      context.report?.(part.length);
    }
    const rows = opened.map((row, i) => {
      const { completionIds, tokenLogProbs, finished } = rollouts[i] as Rollout;
      const tokens = completionIds.map((id, t): WrittenToken => {
        return { id, logProb: tokenLogProbs[t] as number, own: 1, learned: 1 };
      });
      return closeRow({ ...row, tokens, finished });
    });
    const tokens = rollouts.reduce((sum, { completionIds }) => sum + completionIds.length, 0);
    return {
      rows,
      // No token is one model's alone: each is counted once, as the student's.
      cost: {
        ...{ studentTokens: tokens, teacherTokens: 0 },
        ...{ studentForwards: tokens, teacherForwards: tokens },
      },
    };
  },
});

/** Below this a probability has no logarithm that samples. */
const tiny = 1e-37;

/** Next tokens of two models: log(α softmax(teacher) + (1 − α) softmax(student)) as logits. */
function mixtureSource(student: LanguageModel, teacher: LanguageModel, share: number): TokenSource {
  const sources = [modelSource(teacher), modelSource(student)] as const;
  return {
    vocabSize: student.config.vocabSize,
    maxPositions: Math.min(contextLength(student.config), contextLength(teacher.config)),
    open(capacity) {
      const [first, second] = sources.map((source) => source.open(capacity));
      return {
        async next(inputs) {
          const ofTeacher = await first?.next(inputs);
          const ofStudent = await second?.next(inputs);
          return () => {
            const [a, b] = [ofTeacher, ofStudent].map((logits) =>
              tf.softmax(logits?.() as tf.Tensor2D),
            ) as [tf.Tensor2D, tf.Tensor2D];
            return a
              .mul(share)
              .add(b.mul(1 - share))
              .maximum(tiny)
              .log() as tf.Tensor2D;
          };
        },
        [Symbol.dispose]() {
          first?.[Symbol.dispose]();
          second?.[Symbol.dispose]();
        },
      };
    },
  };
}
