/** The teacher between a batch and the protocol of its server, with answers of the test's own. */
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { characterTokenizer, makeBatch, type TokenSequence } from "../../../../src/data/index.js";
import { PupilError } from "../../../../src/errors/index.js";
import { ownDistribution } from "../../../../src/rollouts/index.js";
import { httpTeacher, type HttpTeacherOptions } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import { fakeRoutes, knownLogProbs } from "../../../setup/servers/fake-teacher-protocols.js";

const tokenizer = characterTokenizer({ alphabet: "abcdefgh" });
const V = tokenizer.vocabSize;
type Json = Record<string, unknown>;

/** A teacher at a vLLM whose answers go through `change`, as text. */
function started(changes: Partial<HttpTeacherOptions> = {}, change = (text: string) => text) {
  const routes = fakeRoutes({ tokenizer, largestTopK: V });
  const bodies: Json[] = [];
  const urls: string[] = [];
  const teacher = httpTeacher({
    ...{ server: "vllm", url: "http://host:1", model: "fake", tokenizer, vocabSize: V, topK: 3 },
    ...{ timeoutMs: 5000, retries: 0, retryDelayMs: 0, concurrency: 4, random: new Random(3) },
    fetch: (url, init) => {
      urls.push(url as string);
      const body = JSON.parse(init?.body as string) as Json;
      bodies.push(body);
      const path = new URL(url as string).pathname;
      const text = change(JSON.stringify(routes[path]!(body, undefined)));
      return Promise.resolve(
        new Response(text, { headers: { "content-type": "application/json" } }),
      );
    },
    ...changes,
  });
  const score = async (rows: readonly TokenSequence[]) => {
    using batch = makeBatch(rows, 0);
    const scores = await teacher.score(batch, teacher.provides);
    return tf.tidy(() => {
      const given = scores.tensors();
      return {
        own: given.teacherTokenLogProbs?.arraySync() as number[][],
        ids: given.teacherTokenIds?.arraySync() as number[][][],
        top: given.teacherTopLogProbs?.arraySync() as number[][][],
      };
    });
  };
  return { teacher, bodies, urls, score };
}

const how = {
  ...{ endIds: [9], padId: 0, maxNewTokens: 4, random: new Random(5) },
  policy: { ...ownDistribution, greedy: true },
};

test.each<[string, unknown, RegExp]>([
  ["nothing", undefined, /^httpTeacher: is missing\. Use: httpTeacher\(\{/],
  ["an address", "http://host:1", /^httpTeacher: is "http:\/\/host:1", not an object/],
  ["no url", { url: undefined }, /^httpTeacher: url is missing \(expected string\)/],
  ["another server", { server: "vlm" }, /server is "vlm"\. Did you mean "vllm"/],
  ["a number in words", { topK: "3" }, /^httpTeacher: topK is "3", expected number/],
  ["no time", { timeoutMs: undefined }, /^httpTeacher: timeoutMs is missing/],
  ["a folder of a tokenizer", { tokenizer: "a/b" }, /tokenizer: has no encode\. .*loadTokenizer/],
  ["a seed", { random: 3 }, /^httpTeacher: random: has no stream\. .*new Random/],
])("plain JavaScript is told what it needs: %s", (_what, given, message) => {
  const options = {
    ...{ server: "vllm", url: "http://host:1", model: "fake", tokenizer, vocabSize: V, topK: 3 },
    ...{ timeoutMs: 5000, retries: 0, retryDelayMs: 0, concurrency: 4, random: new Random(3) },
    apiKey: "sk-secret",
  };
  const isOptions = typeof given === "object" && given !== null;
  const make = () => httpTeacher((isOptions ? { ...options, ...given } : given) as never);
  expect(make).toThrow(message);
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(PupilError);
    expect(JSON.stringify([(error as Error).message, (error as PupilError).value])).not.toContain(
      "sk-secret",
    );
  }
});

test("says what it is, where, and what it can read", () => {
  expect(started().teacher.name).toBe("fake at http://host:1");
  expect(started({ model: undefined, server: "sglang" }).teacher.name).toBe(
    "sglang at http://host:1",
  );
  expect(started().teacher).not.toHaveProperty("maxPositions");
  expect(started({ maxPositions: 9 }).teacher).toMatchObject({ maxPositions: 9, vocabSize: V });
});

test("a slash or /v1 behind the address makes no difference, one within it does", async () => {
  for (const [url, asked] of [
    ["http://host:1", "http://host:1/v1/completions"],
    ["http://host:1/v1//", "http://host:1/v1/completions"],
    ["http://host:1//", "http://host:1/v1/completions"],
  ] as const) {
    const { score, urls } = started({ url });
    await score([{ ids: [1, 2], completionStart: 1 }]);
    expect(urls).toEqual([asked]);
  }
});

test("where nothing is learned stand distinct ids without weight", async () => {
  const { score, bodies } = started();
  const given = await score([
    { ids: [1, 2, 3], completionStart: 2 },
    { ids: [4, 5, 6], completionStart: 3 },
  ]);
  expect(bodies).toHaveLength(1);
  expect([given.ids[0]?.[0], given.ids[1]]).toEqual([
    [0, 1, 2],
    [
      [0, 1, 2],
      [0, 1, 2],
    ],
  ]);
  expect([given.top[0]?.[0], given.top[1]?.[1]]).toEqual([
    [-100, -100, -100],
    [-100, -100, -100],
  ]);
  expect(given.own[0]?.[1]).toBeCloseTo(knownLogProbs([1, 2], V)[3] as number, 5);
});

describe("an answer", () => {
  const row = { ids: [1, 2], completionStart: 1 };
  // Two ids with three tokens and two more each, a kibibyte for each of them.
  const limit = 2 ** 20 + 2 * 5 * 1024;

  test("may have a mebibyte, and a kibibyte for every token that was asked about", async () => {
    const padded = (size: number) => started({}, (text) => text.padEnd(size)).score([row]);
    await expect(padded(limit)).resolves.toBeDefined();
    await expect(padded(limit + 1)).rejects.toThrow(/the answer is larger than 1\.0 MiB/);
  });

  test("that is wrong is named by its sequence and the kind of server", async () => {
    const wrong = (text: string) => text.replace('"prompt_tokens":2', '"prompt_tokens":3');
    const { score } = started({}, wrong);
    await expect(score([{ ids: [1, 2, 3], completionStart: 1 }, row])).rejects.toThrow(
      "http://host:1/v1/completions: A wrong answer of the vllm server about sequence 2 of the batch: usage.prompt_tokens: expected 2 tokens, got 3.",
    );
    await expect(score([{ ...row, id: "a:7" }])).rejects.toThrow(/server about a:7: usage/);
  });

  test("repeats no key", async () => {
    const secret = "sk-secret-1234567";
    const { score } = started({ apiKey: secret }, (text) =>
      text.replace('"prompt_tokens":2', `"prompt_tokens":"${secret}"`),
    );
    await expect(score([row])).rejects.toThrow(/expected 2 tokens, got "?\[key\]/);
  });
});

describe("a completion", () => {
  test("has the seed of its row, in 31 bits", async () => {
    const { teacher, bodies } = started();
    await teacher.complete?.([[1], [2]], how);
    await teacher.complete?.([[3]], { ...how, sequenceIds: [8] });
    const written = bodies.filter(({ max_tokens }) => max_tokens === 4);
    const seedOf = (row: number) => new Random(5).stream("complete", row).nextUint32() >>> 1;
    const bySeed = new Map(written.map(({ prompt, seed }) => [String(prompt), seed]));
    expect(bySeed).toEqual(
      new Map([
        ["1", seedOf(0)],
        ["2", seedOf(1)],
        ["3", seedOf(8)],
      ]),
    );
    expect(written[0]).toMatchObject({ temperature: 0, top_k: -1, top_p: 1, stop_token_ids: [9] });
  });

  test("is drawn as the policy says", async () => {
    const { teacher, bodies } = started();
    const policy = { greedy: false, samplingTemperature: 0.7, topK: 5, topP: 0.8 };
    await teacher.complete?.([[1]], { ...how, policy: { ...ownDistribution, ...policy } });
    expect(bodies[0]).toMatchObject({ temperature: 0.7, top_k: 5, top_p: 0.8 });
  });

  test("has no more tokens than the server can read", async () => {
    const { teacher, bodies } = started({ maxPositions: 5 });
    const [rollout] = (await teacher.complete?.([[1, 2, 3]], how)) ?? [];
    expect(bodies[0]).toMatchObject({ max_tokens: 2 });
    expect(rollout?.completionIds).toHaveLength(2);
    const roomy = started({ maxPositions: 50 });
    await roomy.teacher.complete?.([[1, 2, 3]], how);
    expect(roomy.bodies[0]).toMatchObject({ max_tokens: 4 });
  });

  const instead = (ids: readonly number[]) => (text: string) =>
    text.replace(/"token_ids":\[[\d,]*\]/, `"token_ids":[${ids.join(",")}]`);

  test("of more tokens than asked for is wrong", async () => {
    const { teacher } = started({}, instead([1, 1, 1, 1, 1]));
    await expect(teacher.complete?.([[1], [2]], how)).rejects.toThrow(
      /about the completion of prompt \d: the completion: expected at most 4 tokens, got 5/,
    );
  });

  test("ends with its first end id, and has the log-probability of each of its tokens", async () => {
    for (const [written, kept, finished] of [
      [[4, 9, 5], [4, 9], true],
      [[9], [9], true],
      [[4, 5], [4, 5], false],
      [[], [], false],
    ] as const) {
      const { teacher } = started({}, (text) =>
        text.includes("prompt_logprobs") ? text : instead(written)(text),
      );
      const [rollout] = (await teacher.complete?.([[1, 2]], how)) ?? [];
      expect(rollout).toMatchObject({ promptIds: [1, 2], completionIds: kept, finished });
      const ids = [1, 2, ...kept];
      const truth = kept.map((id, i) => knownLogProbs(ids.slice(0, 2 + i), V)[id] as number);
      expect(rollout?.tokenLogProbs).toHaveLength(kept.length);
      for (const [i, value] of truth.entries()) {
        expect(rollout?.tokenLogProbs[i]).toBeCloseTo(value, 5);
      }
    }
  });
});

test("the probe asks with texts about the last of its tokens", async () => {
  const routes = fakeRoutes({ tokenizer, largestTopK: V });
  const asked: Json[] = [];
  const { teacher } = started({
    server: "sglang",
    fetch: (_url, init) => {
      const body = JSON.parse(init?.body as string) as Json;
      asked.push(body);
      const text = JSON.stringify(routes["/generate"]!(body, undefined));
      return Promise.resolve(
        new Response(text, { headers: { "content-type": "application/json" } }),
      );
    },
  });
  await teacher.probe();
  expect(asked).toMatchObject([
    { input_ids: [0, 0], logprob_start_len: 0, return_text_in_logprobs: true, top_logprobs_num: 3 },
  ]);
});
