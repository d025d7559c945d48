/**
 * Against a server that is really running, with the model folder that it serves, for developers:
 * `scripts/servers/llama-cpp-server.sh` starts one. Both sides compute in float32.
 *
 *     PUPIL_TEACHER_SERVER  its address
 *     PUPIL_TEACHER_MODEL   the folder
 *     PUPIL_TEACHER_KIND    vllm, sglang, llama.cpp (default) or openai
 *     PUPIL_TEACHER_SEND_AS ids (default) or text, for openai
 *     PUPIL_TEACHER_NAME    the model as the server names it, where it needs one
 */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { makeBatch } from "../../../src/data/index.js";
import { loadModelFolder } from "../../../src/node/index.js";
import { ownDistribution, sampleRollouts } from "../../../src/rollouts/index.js";
import { httpTeacher, modelTeacher, type TeacherServer } from "../../../src/teachers/index.js";
import { Random } from "../../../src/tensors/index.js";

const {
  PUPIL_TEACHER_SERVER: url = "",
  PUPIL_TEACHER_MODEL: folder = "",
  PUPIL_TEACHER_KIND: kind = "llama.cpp",
  PUPIL_TEACHER_SEND_AS: sendAs = "ids",
  PUPIL_TEACHER_NAME: name,
} = process.env;
const isSet = url !== "" && folder !== "";

const texts = [
  "Once upon a time, there was a little girl named Lily. She loved to play outside.",
  "One day, a naïve 🙂 cat\nsaw a dog.",
];
const greedy = { ...ownDistribution, greedy: true };
const K = 5;

describe.skipIf(!isSet)(
  `a real ${kind} server (needs PUPIL_TEACHER_SERVER and PUPIL_TEACHER_MODEL)`,
  () => {
    test("says about given tokens what the same model says in this process", async () => {
      const { model, tokenizer } = await loadModelFolder(folder);
      using local = modelTeacher(model, "local", { topK: K });
      using remote = serverTeacher(tokenizer, model.config.vocabSize);
      await remote.probe();
      const rows = texts.map((text) => {
        const ids = [...tokenizer.startIds, ...tokenizer.encode(text)];
        return { ids, completionStart: 2 };
      });
      using batch = makeBatch(rows, 0);
      const needs = remote.provides;
      const theirs = await remote.score(batch, needs);
      const ours = await local.score(batch, needs);
      const differences = tf.tidy(() => {
        const [a, b] = [theirs.tensors(), ours.tensors()];
        const mask = batch.completionMask;
        const largest = (x?: tf.Tensor, y?: tf.Tensor) => {
          if (x === undefined || y === undefined) return Number.NaN;
          const counted = x.rank === 3 ? mask.expandDims(2) : mask;
          return x.sub(y).abs().mul(counted).max().dataSync()[0];
        };
        return {
          token: largest(a.teacherTokenLogProbs, b.teacherTokenLogProbs),
          top: largest(a.teacherTopLogProbs, b.teacherTopLogProbs),
        };
      });
      expect(differences.token).toBeLessThan(1e-3);
      expect(differences.top).toBeLessThan(1e-3);
    });

    test("writes what the same model writes", async () => {
      const { model, tokenizer } = await loadModelFolder(folder);
      using remote = serverTeacher(tokenizer, model.config.vocabSize);
      const prompts = [[...tokenizer.startIds, ...tokenizer.encode("Once upon a time")]];
      const { endIds, padId } = tokenizer;
      const how = { endIds, padId, maxNewTokens: 12, policy: greedy, random: new Random(1) };
      const theirs = await remote.complete?.(prompts, how);
      const ours = await sampleRollouts({ model, prompts, ...how });
      model.dispose();
      if (theirs === undefined) return;
      expect(theirs[0]?.completionIds).toEqual(ours[0]?.completionIds);
      for (const [i, logProb] of theirs[0]?.tokenLogProbs.entries() ?? []) {
        expect(Math.abs(logProb - (ours[0]?.tokenLogProbs[i] as number))).toBeLessThan(1e-3);
      }
    });
  },
);

function serverTeacher(
  tokenizer: Parameters<typeof httpTeacher>[0]["tokenizer"],
  vocabSize: number,
) {
  return httpTeacher({
    server: kind as TeacherServer,
    url,
    model: name,
    sendAs: sendAs === "text" ? "text" : "ids",
    tokenizer,
    vocabSize,
    topK: K,
    timeoutMs: 30_000,
    retries: 2,
    retryDelayMs: 200,
    concurrency: 2,
    random: new Random(1),
  });
}
