/** What each protocol asks, to the letter: a field less is another question. */
import { expect, test } from "vitest";
import { characterTokenizer } from "../../../../src/data/index.js";
import { type TeacherServer, teacherServers } from "../../../../src/teachers/index.js";
import { teacherProtocols } from "../../../../src/teachers/http/protocols.js";

const tokenizer = characterTokenizer({ alphabet: "abcdefgh" });

/** Bodies that were posted; the answer to each is nothing, which no protocol takes. */
async function asked(server: TeacherServer, what: "score" | "complete", changes: object = {}) {
  const bodies: unknown[] = [];
  const access = {
    ...{ model: "m", tokenizer, vocabSize: tokenizer.vocabSize, sendAs: "ids" as const },
    post: (body: object) => {
      bodies.push(body);
      return Promise.resolve(undefined);
    },
  };
  const protocol = teacherProtocols[server];
  const score = { ids: [1, 2, 3, 4], positions: [2, 3], topK: 5, ...changes };
  const complete = {
    ...{ promptIds: [1, 2], endIds: [9], maxNewTokens: 7, temperature: 0.5 },
    ...{ topK: 0, topP: 0.9, seed: 11, ...changes },
  };
  const work =
    what === "score" ? protocol.score(score, access) : protocol.complete?.(complete, access);
  await expect(work).rejects.toThrow("A wrong answer");
  return bodies;
}

test("to score tokens", async () => {
  const bodies = await Promise.all(teacherServers.map((server) => asked(server, "score")));
  expect(Object.fromEntries(bodies.map((own, i) => [teacherServers[i], own]))).toEqual({
    vllm: [
      {
        ...{ model: "m", prompt: [1, 2, 3, 4], max_tokens: 1, temperature: 0 },
        ...{ prompt_logprobs: 5, return_token_ids: true },
      },
    ],
    sglang: [
      {
        input_ids: [1, 2, 3, 4],
        sampling_params: { max_new_tokens: 0, temperature: 1 },
        ...{ return_logprob: true, logprob_start_len: 1, top_logprobs_num: 5 },
        return_text_in_logprobs: false,
      },
    ],
    "llama.cpp": [
      {
        ...{ prompt: [1, 2], n_predict: 1, n_probs: 5, temperature: 0, logit_bias: [[3, 1e6]] },
        ...{ post_sampling_probs: false, cache_prompt: true, return_tokens: true },
      },
    ],
    openai: [
      {
        ...{ model: "m", prompt: [1, 2, 3, 4], max_tokens: 1, temperature: 0 },
        ...{ echo: true, logprobs: 5 },
      },
    ],
  });
  expect(await asked("sglang", "score", { texts: true })).toMatchObject([
    { return_text_in_logprobs: true },
  ]);
});

test("to write", async () => {
  expect(await asked("vllm", "complete")).toEqual([
    {
      ...{ model: "m", prompt: [1, 2], max_tokens: 7, temperature: 0.5, top_p: 0.9, top_k: -1 },
      ...{ min_p: 0, repetition_penalty: 1, seed: 11, stop_token_ids: [9], return_token_ids: true },
    },
  ]);
  const sampling = { max_new_tokens: 7, temperature: 0.5, top_p: 0.9, top_k: -1, min_p: 0 };
  expect(await asked("sglang", "complete")).toEqual([
    {
      input_ids: [1, 2],
      sampling_params: { ...sampling, stop_token_ids: [9], sampling_seed: 11 },
      return_logprob: true,
    },
  ]);
  expect(await asked("llama.cpp", "complete")).toEqual([
    {
      ...{ prompt: [1, 2], n_predict: 7, samplers: ["temperature", "top_k", "top_p"] },
      ...{ temperature: 0.5, top_k: 0, top_p: 0.9, seed: 11, cache_prompt: true },
      return_tokens: true,
    },
  ]);
  expect(await asked("vllm", "complete", { topK: 3 })).toMatchObject([{ top_k: 3 }]);
  expect(await asked("sglang", "complete", { topK: 3 })).toMatchObject([
    { sampling_params: { top_k: 3 } },
  ]);
  expect(await asked("llama.cpp", "complete", { topK: 3 })).toMatchObject([{ top_k: 3 }]);
});

test("a server that needs a model's name says so, and where its API is", () => {
  const facts = teacherServers.map((server) => {
    const { path, needsModel, complete } = teacherProtocols[server];
    return [server, path, needsModel, complete !== undefined];
  });
  expect(facts).toEqual([
    ["vllm", "/v1/completions", true, true],
    ["sglang", "/generate", false, true],
    ["llama.cpp", "/completion", false, true],
    ["openai", "/v1/completions", true, false],
  ]);
});
