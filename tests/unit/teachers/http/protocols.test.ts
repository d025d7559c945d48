import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { characterTokenizer, makeBatch, type TokenSequence } from "../../../../src/data/index.js";
import { ownDistribution } from "../../../../src/rollouts/index.js";
import {
  type HttpTeacher,
  httpTeacher,
  type HttpTeacherOptions,
  type TeacherServer,
  teacherServers,
} from "../../../../src/teachers/index.js";
import type { WrongAnswer } from "../../../../src/teachers/http/check-answer.js";
import { teacherProtocols } from "../../../../src/teachers/http/protocols.js";
import { Random } from "../../../../src/tensors/index.js";
import { fakeRoutes, type PositionChange } from "../../../setup/servers/fake-teacher-protocols.js";
import {
  fakeTeacherServer,
  type FakeTeacherOptions,
  type FakeTeacherServer,
  knownLogProbs,
  likeliest,
  type Mistake,
} from "../../../setup/servers/fake-teacher-server.js";

const tokenizer = characterTokenizer({ alphabet: "abcdefgh" });
const V = tokenizer.vocabSize;
const K = 3;

const rows: TokenSequence[] = [
  { ids: [1, 2, 3, 4, 5], completionStart: 3 },
  { ids: [7, 2], completionStart: 1, id: "train.jsonl:12" },
  { ids: [4, 3, 2, 1], completionStart: 1, learned: [0, 0, 1, 0] },
  { ids: [6, 6, 6], completionStart: 3 },
];

/** Each of its tokens is the likeliest after those before it. */
const likelyRow: TokenSequence = (() => {
  const ids = [1];
  while (ids.length < 5) ids.push(...likeliest(knownLogProbs(ids, V), 1));
  return { ids, completionStart: 3 };
})();

async function started(
  server: TeacherServer,
  options: Partial<FakeTeacherOptions> = {},
  changes: Partial<HttpTeacherOptions> = {},
): Promise<{ fake: FakeTeacherServer; teacher: HttpTeacher }> {
  const fake = await fakeTeacherServer({ tokenizer, ...options });
  const teacher = httpTeacher({
    server,
    url: fake.url,
    model: "fake",
    tokenizer,
    vocabSize: V,
    topK: K,
    timeoutMs: 5000,
    retries: 0,
    retryDelayMs: 0,
    concurrency: 4,
    random: new Random(3),
    ...changes,
  });
  return { fake, teacher };
}

async function scores(teacher: HttpTeacher, sequences: readonly TokenSequence[] = rows) {
  using batch = makeBatch(sequences, 0);
  const given = await teacher.score(batch, teacher.provides);
  const tensors = tf.tidy(() => {
    const { layers: _layers, ...ofTokens } = given.tensors();
    return Object.fromEntries(
      Object.entries(ofTokens).map(([name, tensor]) => [name, tensor.arraySync()]),
    );
  });
  return tensors as {
    teacherTokenLogProbs: number[][];
    teacherTokenIds: number[][][];
    teacherTopLogProbs: number[][][];
  };
}

async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    expect((error as Error).name).toBe("PupilError");
    return (error as Error).message;
  }
  throw new Error("Nothing was refused.");
}

describe.each(teacherServers)("%s", (server) => {
  test("gives the likeliest tokens and the token's own log-probability where something is learned", async () => {
    const { teacher } = await started(server);
    const given = await scores(teacher);
    const learned = [
      [0, [3, 4]],
      [1, [1]],
      [2, [2]],
    ] as const;
    for (const [row, positions] of learned) {
      const { ids } = rows[row] as TokenSequence;
      for (const p of positions) {
        const truth = knownLogProbs(ids.slice(0, p), V);
        const top = likeliest(truth, K);
        expect(given.teacherTokenIds[row]?.[p - 1]).toEqual(top);
        for (const [k, id] of top.entries()) {
          expect(given.teacherTopLogProbs[row]?.[p - 1]?.[k]).toBeCloseTo(truth[id] as number, 5);
        }
        const own = truth[ids[p] as number] as number;
        expect(given.teacherTokenLogProbs[row]?.[p - 1]).toBeCloseTo(own, 5);
      }
    }
    expect(given.teacherTopLogProbs.flat(2).every(Number.isFinite)).toBe(true);
  });

  test("asks nothing about rows in which nothing is learned", async () => {
    const { fake, teacher } = await started(server);
    await scores(teacher, rows.slice(3));
    expect(fake.requests).toEqual([]);
  });

  test("works for K equal to the whole vocabulary", async () => {
    const { teacher } = await started(server, { largestTopK: V }, { topK: V });
    const given = await scores(teacher, [{ ids: [1, 2], completionStart: 1 }]);
    const mass = given.teacherTopLogProbs[0]?.[0]?.reduce((sum, x) => sum + Math.exp(x), 0);
    expect(mass).toBeCloseTo(1, 5);
  });

  const wrong: [Mistake, RegExp][] = [
    ["empty", /expected .* got nothing/],
    ["fewer-tokens", /expected (.*(entries|tokens), got|token \d, got token)/],
    ["shifted", /position \d: expected (token \d|null)/],
    ["fewer-top", /position \d: expected the 3 likeliest tokens, got 2\. Lower teacher\.topK/],
    ["not-a-number", /position \d.*: expected a log-probability, got null/],
    ["above-one", /position \d.*: expected a log-probability up to 0, got 0\.5/],
    ["mass-above-one", /expected (probabilities that add up to at most 1|the 3 likeliest)/],
  ];
  test.each(wrong)("%s is an error that says where", async (mistake, message) => {
    const { fake, teacher } = await started(server);
    fake.alwaysMake(mistake);
    const text = await failure(
      scores(teacher, mistake === "fewer-top" ? [likelyRow] : rows.slice(0, 1)),
    );
    expect(text).toMatch(/wrong answer of the \S+ server about sequence 1 of the batch/);
    expect(text).toMatch(message);
  });

  test("an id outside the vocabulary is an error", async () => {
    const { fake, teacher } = await started(server);
    fake.alwaysMake("unknown-id");
    const text = await failure(scores(teacher, rows.slice(1, 2)));
    expect(text).toMatch(/about train\.jsonl:12: position 1: expected /);
    expect(text).toMatch(server === "openai" ? /"unknown 10"/ : /a token id below 10, got 10/);
  });

  test("a K above the server's limit is refused in the server's words, before a run", async () => {
    const { teacher } = await started(server, { largestTopK: 2 });
    if (server === "llama.cpp") return;
    expect(await failure(teacher.probe())).toMatch(/400 Bad Request: .*too_big.*teacher\.topK/);
  });

  test("leaves room in its answer for every number that was asked for", async () => {
    const entries: number[] = [];
    const routes = fakeRoutes({ tokenizer, largestTopK: V });
    const protocol = teacherProtocols[server];
    const query = { ids: [1, 2, 3, 4, 5, 6], positions: [1, 2, 3, 4, 5], topK: K };
    const scored = await protocol.score(query, {
      ...{ model: "fake", tokenizer, vocabSize: V, sendAs: "ids" },
      post: (body, count) => {
        const answer = routes[protocol.path]!(body, undefined);
        const numbers = JSON.stringify(answer).match(/[:[,]-?\d+\.\d+/g) ?? [];
        expect(numbers.length).toBeGreaterThanOrEqual(K);
        expect(count).toBeGreaterThanOrEqual(numbers.length);
        expect(count).toBeLessThan(3 * numbers.length + 3 * K);
        entries.push(count);
        return Promise.resolve(answer);
      },
    });
    expect(scored).toHaveLength(5);
    expect(entries.length).toBeGreaterThan(0);
  });

  /** What is said of an answer with a mistake where all positions but these are asked about. */
  const tampered = async (
    positions: number[],
    change: (answer: unknown) => unknown,
    mistake?: PositionChange,
  ) => {
    const protocol = teacherProtocols[server];
    const routes = fakeRoutes({ tokenizer, largestTopK: V });
    const query = { ids: [1, 2, 3, 5, 4, 6], positions, topK: K };
    const work = protocol.score(query, {
      ...{ model: "fake", tokenizer, vocabSize: V, sendAs: "ids" },
      post: (body) => Promise.resolve(change(routes[protocol.path]!(body, mistake))),
    });
    return work.then(
      () => "accepted",
      (error: unknown) => (error as WrongAnswer).describe((text) => text),
    );
  };

  test("another number of tokens than was sent is an error, if it is stated", async () => {
    const counts = /"(prompt_tokens|tokens_evaluated)":\d+/;
    const restate = (text: string) => (answer: unknown) =>
      JSON.parse(JSON.stringify(answer).replace(counts, text)) as unknown;
    expect(await tampered([1, 5], restate('"$1":7'))).toMatch(/expected \d tokens, got 7/);
    expect(await tampered([1, 5], restate('"$1":null'))).toBe("accepted");
  });

  test("a list that does not fit its token is an error also where nobody asked", async () => {
    if (server === "llama.cpp") return;
    const tooLikely: PositionChange = (positions) =>
      positions.map((p) => {
        const unlisted = p.id === 5 && !p.top.some(({ id }) => id === 5);
        return unlisted ? { ...p, logProb: -0.01 } : p;
      });
    const same = (answer: unknown) => answer;
    expect(likeliest(knownLogProbs([1, 2, 3], V), K)).not.toContain(5);
    expect(await tampered([1, 5], same)).toBe("accepted");
    expect(await tampered([1, 5], same, tooLikely)).toMatch(
      /^position 3: expected token 5 with log-probability -0\.01 among the likeliest/,
    );
  });

  test("a tokenizer that goes beyond the vocabulary is refused before anything is asked", async () => {
    const withStart = { ...tokenizer, startIds: [9] };
    const { fake, teacher } = await started(server, {}, { tokenizer: withStart, vocabSize: 9 });
    expect(await failure(teacher.probe())).toMatch(
      /teacher\.tokenizer: .* has the id 9, but the vocabulary has 9 rows/,
    );
    expect(fake.requests).toEqual([]);
  });

  test("the probe finds a right tokenizer and, where there are texts, a wrong one", async () => {
    const { fake, teacher } = await started(server);
    await teacher.probe();
    fake.alwaysMake("other-texts");
    if (server === "openai") return;
    expect(await failure(teacher.probe())).toMatch(/not the tokenizer of the server's model/);
  });
});

describe.each(["sglang", "llama.cpp"] as const)("%s", (server) => {
  test("a token listed twice is an error", async () => {
    const { fake, teacher } = await started(server);
    fake.alwaysMake("twice");
    const text = await failure(scores(teacher));
    expect(text).toMatch(/expected each token once, got token \d twice/);
  });
});

describe.each(["vllm", "sglang", "llama.cpp"] as const)("%s writes", (server) => {
  const how = {
    endIds: tokenizer.endIds,
    padId: tokenizer.padId,
    maxNewTokens: 4,
    policy: ownDistribution,
    random: new Random(5),
  };

  test("greedily what is likeliest, with the log-probabilities of temperature 1", async () => {
    const { teacher } = await started(server);
    const policy = { ...ownDistribution, greedy: true, samplingTemperature: 0.5 };
    const [rollout] = (await teacher.complete?.([[1, 2]], { ...how, policy })) ?? [];
    const ids: number[] = [1, 2];
    const logProbs: number[] = [];
    for (let i = 0; i < 4; i++) {
      const truth = knownLogProbs(ids, V);
      const [next] = likeliest(truth, 1);
      ids.push(next as number);
      logProbs.push(truth[next as number] as number);
    }
    expect(rollout?.promptIds).toEqual([1, 2]);
    expect(rollout?.completionIds).toEqual(ids.slice(2));
    rollout?.tokenLogProbs.forEach((x, i) => expect(x).toBeCloseTo(logProbs[i] as number, 5));
    expect(rollout?.finished).toBe(false);
  });

  test("by settings that mean no limit where there is none", async () => {
    const { fake, teacher } = await started(server);
    await teacher.complete?.([[1, 2]], how);
    const { sampling_params: params = {}, ...request } = fake.requests[0] as Record<string, object>;
    expect({ ...request, ...params }).toMatchObject({
      ...{ top_k: server === "llama.cpp" ? 0 : -1, top_p: 1, temperature: 1 },
    });
  });

  test("the same for a seed, whatever the other rows; other rows otherwise", async () => {
    const { teacher } = await started(server);
    const write = async (prompts: number[][], sequenceIds: number[], seed = 5) => {
      const random = new Random(seed);
      const rollouts = await teacher.complete?.(prompts, { ...how, random, sequenceIds });
      return rollouts?.map(({ completionIds }) => completionIds);
    };
    const both = await write([[1], [1]], [4, 9]);
    expect(await write([[1]], [9])).toEqual([both?.[1]]);
    const seeds = await Promise.all([6, 7, 8, 9].map((seed) => write([[1]], [9], seed)));
    expect(seeds.some((other) => String(other) !== String([both?.[1]]))).toBe(true);
  });

  test("ends with the first end id, even if the server goes on", async () => {
    const { teacher } = await started(server);
    const truth = knownLogProbs([1, 2], V);
    const [end] = likeliest(truth, 1) as [number];
    const policy = { ...ownDistribution, greedy: true };
    const [rollout] = (await teacher.complete?.([[1, 2]], { ...how, policy, endIds: [end] })) ?? [];
    expect(rollout?.completionIds).toEqual([end]);
    expect(rollout?.finished).toBe(true);
  });
});

test("openai does not write", async () => {
  const { teacher } = await started("openai");
  expect(teacher.complete).toBeUndefined();
});

describe("llama.cpp", () => {
  test("finds the log-probability of a part of a character, which comes without any", async () => {
    const { teacher } = await started("llama.cpp", { partsOfCharacters: [5] });
    const given = await scores(teacher, rows.slice(0, 1));
    const truth = knownLogProbs([1, 2, 3, 4], V);
    expect(given.teacherTokenLogProbs[0]?.[3]).toBeCloseTo(truth[5] as number, 5);
    expect(given.teacherTokenIds[0]?.[3]).toEqual(likeliest(truth, K));
  });

  test("asks one position after the other, so that the prefix is in the server's cache", async () => {
    const { fake, teacher } = await started("llama.cpp");
    await scores(teacher, rows.slice(0, 1));
    expect(fake.requests.map(({ prompt }) => prompt)).toEqual([
      [1, 2, 3],
      [1, 2, 3, 4],
    ]);
    expect(fake.mostAtOnce()).toBe(1);
  });
});

describe("sglang", () => {
  test("is asked from one before the first learned position", async () => {
    const { fake, teacher } = await started("sglang");
    await scores(teacher, rows.slice(0, 1));
    expect(fake.requests[0]?.logprob_start_len).toBe(2);
  });
});

describe("openai", () => {
  test("sends text to servers that take no ids, if it gives the same ids", async () => {
    const { fake, teacher } = await started("openai", {}, { sendAs: "text" });
    await scores(teacher, rows.slice(0, 1));
    expect(fake.requests[0]?.prompt).toBe("bcdef");
    const special = [{ ids: [1, tokenizer.padId, 2], completionStart: 1 }];
    const text = await failure(scores(teacher, special));
    expect(text).toMatch(/teacher\.sendAs: The tokens cannot be sent as text/);
  });

  test("start ids that a server adds to a text and does not echo are no shift", async () => {
    const withStart = { ...tokenizer, startIds: [8] };
    const fake = await fakeTeacherServer({ tokenizer: withStart });
    const changes = { url: fake.url, tokenizer: withStart, sendAs: "text" } as const;
    const { teacher } = await started("openai", {}, changes);
    await teacher.probe();
    const given = await scores(teacher, [{ ids: [8, 1, 2], completionStart: 2 }]);
    expect(given.teacherTokenIds[0]?.[1]).toEqual(likeliest(knownLogProbs([8, 1], V), K));
    const unknown = scores(teacher, [{ ids: [8, 1], completionStart: 1 }]);
    expect(await failure(unknown)).toMatch(/position 1: expected a log-probability/);
  });

  test("a server that does not echo is an error that says so", async () => {
    const { fake, teacher } = await started("openai");
    fake.alwaysMake("no-echo");
    const text = await failure(scores(teacher));
    expect(text).toMatch(/expected 5 or 6 entries, got 1 entries\. The server does not repeat/);
  });

  test("a text that could be several tokens is an error", async () => {
    const vocab = { "▁a": 0, a: 1, b: 2, " a": 3, c: 4, d: 5, e: 6, f: 7, g: 8, h: 9 };
    const decode = () => "";
    const ambiguous = { ...tokenizer, decode, toJson: () => ({ model: { vocab } }) };
    const fake = await fakeTeacherServer({ tokenizer: ambiguous });
    const { teacher } = await started(
      "openai",
      {},
      { url: fake.url, tokenizer: ambiguous, topK: V },
    );
    const text = await failure(scores(teacher, [{ ids: [2, 4], completionStart: 1 }]));
    expect(text).toMatch(/expected a text of one token \(not of 0, 3\), got " a"/);
  });
});
