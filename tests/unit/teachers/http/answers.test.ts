/** One field of a right answer is changed at a time: what is refused, and in which words. */
import { describe, expect, test } from "vitest";
import { characterTokenizer, type Tokenizer } from "../../../../src/data/index.js";
import type { TeacherServer } from "../../../../src/teachers/index.js";
import { WrongAnswer } from "../../../../src/teachers/http/check-answer.js";
import type { PositionScore } from "../../../../src/teachers/http/protocol.js";
import { teacherProtocols } from "../../../../src/teachers/http/protocols.js";
import {
  fakeRoutes,
  type FakeModelOptions,
  knownLogProbs,
  likeliest,
} from "../../../setup/servers/fake-teacher-protocols.js";

const tokenizer = characterTokenizer({ alphabet: "abcdefgh" });
const V = tokenizer.vocabSize;
const ids = [1, 2, 3, 5, 4, 6];
const query = { ids, positions: [2, 4], topK: 3 };

type Json = Record<string, unknown>;
type Change = (answer: never) => void;

/** Sets what stands at a path, or removes it. */
const set =
  (path: string, value: unknown): Change =>
  (answer) => {
    const keys = path.split(".");
    const last = keys.pop() as string;
    const place = keys.reduce<Json>((at, key) => at[key] as Json, answer);
    if (value === undefined) delete place[last];
    else place[last] = value;
  };

interface How {
  readonly fake?: Partial<FakeModelOptions>;
  readonly change?: Change;
  readonly query?: object;
  readonly own?: Tokenizer;
}

/** The scores, or why there are none; with the bodies that were posted. */
async function ask(server: TeacherServer, what: "score" | "complete", how: How = {}) {
  const { fake, change = () => undefined, own = tokenizer } = how;
  const bodies: Json[] = [];
  const routes = fakeRoutes({ tokenizer: own, largestTopK: V, ...fake });
  const protocol = teacherProtocols[server];
  const access = {
    ...{ model: "fake", tokenizer: own, vocabSize: V, sendAs: "ids" as const },
    post: (body: object) => {
      bodies.push(body as Json);
      const answer = JSON.parse(JSON.stringify(routes[protocol.path]!(body, undefined))) as never;
      change(answer);
      return Promise.resolve(answer);
    },
  };
  const write = {
    ...{ promptIds: [1, 2], endIds: [9], maxNewTokens: 3, temperature: 0 },
    ...{ topK: 0, topP: 1, seed: 1 },
  };
  const work =
    what === "score"
      ? protocol.score({ ...query, ...how.query }, access)
      : (protocol.complete?.({ ...write, ...how.query }, access) as Promise<number[]>);
  const given = await work.catch((error: unknown) => {
    expect(error).toBeInstanceOf(WrongAnswer);
    const wrong = error as WrongAnswer;
    return `${wrong.describe((text) => text)} ${wrong.remedy ?? ""}`;
  });
  return { given, bodies };
}

const refusal = async (server: TeacherServer, change: Change, how: How = {}) => {
  const { given } = await ask(server, "score", { ...how, change });
  return typeof given === "string" ? given : "accepted";
};
const refusedWriting = async (server: TeacherServer, change: Change) => {
  const { given } = await ask(server, "complete", { change });
  return typeof given === "string" ? given : "accepted";
};
const textsOf = (token: number) => tokenizer.decode([token]);

test.each(["vllm", "openai"] as const)("%s gives one choice, the first", async (server) => {
  const of = (choices: (one: Json) => unknown) =>
    refusal(server, ((answer: { choices: unknown }) => {
      answer.choices = choices((answer.choices as Json[])[0] as Json);
    }) as Change);
  expect(await of((one) => [{ ...one, index: undefined }])).toBe("accepted");
  expect(await of((one) => [{ ...one, index: 1 }])).toMatch(
    /choices\[0\]\.index: expected 0, got 1/,
  );
  expect(await of((one) => [one, one])).toMatch(/choices: expected 1 entry, got 2 entries/);
  expect(await of(() => [])).toMatch(/choices: expected 1 entry, got 0 entries/);
  expect(await of(() => ({}))).toMatch(/choices: expected a list, got \{\}/);
  expect(await of(() => [null])).toMatch(/choices\[0\]: expected an object, got null/);
  expect(await of(() => [[]])).toMatch(/choices\[0\]: expected an object, got \[\]/);
  expect(await refusal(server, set("usage", undefined))).toBe("accepted");
  expect(await refusal(server, set("usage.prompt_tokens", undefined))).toBe("accepted");
  expect(await refusal(server, set("usage.prompt_tokens", 5))).toMatch(/expected 6 tokens, got 5/);
});

describe("vllm", () => {
  const position = (p: number) => `choices.0.prompt_logprobs.${p}`;
  const entry = { logprob: -30, rank: 4, decoded_token: "z" };

  test("may repeat the ids that were sent", async () => {
    const repeated = (value: unknown) => refusal("vllm", set("choices.0.prompt_token_ids", value));
    expect(await repeated(ids)).toBe("accepted");
    expect(await repeated(null)).toBe("accepted");
    expect(await repeated([...ids, 1])).toMatch(/prompt_token_ids: expected 6 entries, got 7 ent/);
    expect(await repeated([1, 2, 9, 5, 4, 6])).toMatch(/position 2: expected token 3, got token 9/);
  });

  test("has nothing about the first position, and every token itself at the others", async () => {
    expect(await refusal("vllm", set(position(0), {}))).toMatch(
      /position 0: expected null, got \{\}/,
    );
    for (const p of [2, 3]) {
      const without = await refusal("vllm", set(`${position(p)}.${ids[p]}`, undefined));
      expect(without).toMatch(
        new RegExp(`position ${p}: expected token ${ids[p]} among others, got \\d`),
      );
      const wrong = await refusal("vllm", set(position(p), 7));
      expect(wrong).toMatch(new RegExp(`position ${p}: expected an object, got 7`));
    }
  });

  test.each(["01", "", "1.0", "0x1", " 1", "-1", "1e0", "x"])("has no id %j", async (key) => {
    const added: Change = (answer) => {
      const { choices } = answer as { choices: { prompt_logprobs: Json[] }[] };
      choices[0]!.prompt_logprobs[2]![key] = entry;
    };
    expect(await refusal("vllm", added)).toMatch(/position 2: expected a token id below 10, got "/);
  });

  test("a token of a lower rank does not stand for one that is missing", async () => {
    const likely = likeliest(knownLogProbs(ids.slice(0, 4), V), 3);
    const replaced: Change = (answer) => {
      const at = (answer as { choices: { prompt_logprobs: Json[] }[] }).choices[0]
        ?.prompt_logprobs[4];
      const place = at as Record<string, { rank: number }>;
      const other = likely.find((id) => id !== ids[4]) as number;
      place[String(other)]!.rank = 4;
    };
    expect(await refusal("vllm", replaced)).toMatch(
      /position 4: expected the 3 likeliest tokens, got 2\. Lower teacher\.topK/,
    );
  });

  test("a rank that is not told is no reason to leave a token out", async () => {
    const unranked: Change = (answer) => {
      const { choices } = answer as { choices: { prompt_logprobs: Record<string, Json>[] }[] };
      for (const at of choices[0]?.prompt_logprobs ?? []) {
        for (const own of Object.values(at ?? {})) delete own["rank"];
      }
    };
    expect(await refusal("vllm", unranked)).toBe("accepted");
  });

  test("tells the texts of the likeliest, where it does", async () => {
    const { given } = await ask("vllm", "score");
    const [first] = given as PositionScore[];
    expect(first?.texts).toEqual(first?.tokenIds.map(textsOf));
    const silent: Change = (answer) => {
      const { choices } = answer as { choices: { prompt_logprobs: Record<string, Json>[] }[] };
      for (const at of choices[0]?.prompt_logprobs ?? []) {
        for (const own of Object.values(at ?? {})) own["decoded_token"] = null;
      }
    };
    const quiet = await ask("vllm", "score", { change: silent });
    expect((quiet.given as object[])[0]).not.toHaveProperty("texts");
  });

  test("what contradicts itself where nobody asked is an error, what has no numbers is not", async () => {
    const own = `${position(3)}.${ids[3]}`;
    expect(likeliest(knownLogProbs(ids.slice(0, 3), V), 3)).not.toContain(ids[3]);
    expect(await refusal("vllm", set(`${own}.logprob`, -0.001))).toMatch(/position 3: expected/);
    expect(await refusal("vllm", set(`${own}.logprob`, null))).toBe("accepted");
  });

  test("writes ids of the vocabulary", async () => {
    const written = (value: unknown) => refusedWriting("vllm", set("choices.0.token_ids", value));
    expect(await written([0, 9])).toBe("accepted");
    expect(await written(null)).toMatch(/token_ids: expected a list, got nothing\. Ids need vLLM/);
    expect(await written([0, 10])).toMatch(
      /token_ids, token 1: expected a token id below 10, got 10/,
    );
    expect(await written([0, -1])).toMatch(/token 1: expected a token id below 10, got -1/);
    expect(await written([0.5])).toMatch(/token 0: expected a token id below 10, got 0\.5/);
  });
});

describe("sglang", () => {
  const tokens = "meta_info.input_token_logprobs";
  const tops = "meta_info.input_top_logprobs";

  test("answers from one before the first position on, about the tokens that were sent", async () => {
    const { given, bodies } = await ask("sglang", "score");
    expect(bodies[0]?.["logprob_start_len"]).toBe(1);
    expect(given).toHaveLength(2);
    expect(await refusal("sglang", set(`${tokens}.0.0`, -1))).toMatch(
      /position 1: expected null, got -1/,
    );
    expect(await refusal("sglang", set(`${tops}.0`, []))).toMatch(
      /position 1, the list: expected null/,
    );
    expect(await refusal("sglang", set(`${tops}.0`, undefined))).toBe("accepted");
    for (const p of [1, 2, 5]) {
      expect(await refusal("sglang", set(`${tokens}.${p - 1}.1`, 9))).toMatch(
        new RegExp(`position ${p}: expected token ${ids[p]}, got token 9`),
      );
    }
    for (const list of [tokens, tops]) {
      expect(await refusal("sglang", set(list, []))).toMatch(/expected 5 entries, got 0 entries/);
    }
  });

  test("lists tokens of the vocabulary, with texts where asked for", async () => {
    expect(await refusal("sglang", set(`${tops}.1.0.1`, 10))).toMatch(
      /position 2: expected a token id below 10, got 10/,
    );
    expect(await refusal("sglang", set(`${tops}.1.0.0`, null))).toMatch(
      /position 2, token \d: expected a log-probability, got null\. NaN and/,
    );
    const { given } = await ask("sglang", "score", { query: { texts: true } });
    const [first] = given as PositionScore[];
    expect(first?.texts).toEqual(first?.tokenIds.map(textsOf));
    const quiet = await ask("sglang", "score");
    expect((quiet.given as object[])[0]).not.toHaveProperty("texts");
  });

  test("what contradicts itself where nobody asked is an error, what has no numbers is not", async () => {
    expect(await refusal("sglang", set(`${tokens}.2.0`, -0.001))).toMatch(/position 3: expected/);
    expect(await refusal("sglang", set(`${tokens}.2.0`, null))).toBe("accepted");
    expect(await refusal("sglang", set(`${tops}.2`, null))).toBe("accepted");
    expect(await refusal("sglang", set(`${tops}.2.0`, [null, 1, null]))).toBe("accepted");
    expect(await refusal("sglang", set(`${tops}.2.0`, 7))).toBe("accepted");
    // Rounding above 0 is no contradiction.
    const certain: Change = (answer) => {
      set(`${tokens}.2.0`, 0.00005)(answer);
      set(`${tops}.2`, [[0, ids[3], null]])(answer);
    };
    expect(await refusal("sglang", certain)).toBe("accepted");
  });

  test("writes ids of the vocabulary", async () => {
    const written = (value: unknown) =>
      refusedWriting("sglang", set("meta_info.output_token_logprobs", value));
    const { given } = await ask("sglang", "complete");
    expect(given).toHaveLength(3);
    expect(await written([[-1, 10, null]])).toMatch(/expected a token id below 10, got 10/);
    expect(await written([7])).toMatch(/output_token_logprobs: expected a list, got 7/);
    expect(await written(undefined)).toMatch(/output_token_logprobs: expected a list, got nothing/);
  });
});

describe("llama.cpp", () => {
  test("generates the one token that was forced, after the whole prompt", async () => {
    const changed = (path: string, value: unknown) => refusal("llama.cpp", set(path, value));
    expect(await changed("truncated", true)).toMatch(
      /position 2: expected the whole prompt, got truncated: true\. Start it with a larger/,
    );
    expect(await changed("tokens_evaluated", 1)).toMatch(
      /tokens_evaluated: expected 2 tokens, got 1/,
    );
    expect(await changed("tokens", [])).toMatch(/position 2: expected 1 generated token, got 0/);
    expect(await changed("tokens", [3, 3])).toMatch(/expected 1 generated token, got 2/);
    expect(await changed("tokens", [10])).toMatch(/tokens, token 0: expected a token id below 10/);
    expect(await changed("tokens", [7])).toMatch(/position 2: expected token 3, got token 7/);
    const probabilities = "completion_probabilities";
    expect(await changed(`${probabilities}.0.id`, 7)).toMatch(/expected token 3, got token 7/);
    expect(await changed(probabilities, [])).toMatch(/expected 1 entries, got 0 entries/);
    expect(await changed(`${probabilities}.0`, 7)).toMatch(/\[0\]: expected an object, got 7/);
    expect(await changed(`${probabilities}.0.top_logprobs`, 7)).toMatch(
      /top_logprobs: expected a list/,
    );
    expect(await changed(`${probabilities}.0.top_logprobs.0.id`, 10)).toMatch(
      /a token id below 10/,
    );
    expect(await changed(`${probabilities}.0.logprob`, 1)).toMatch(
      /a log-probability up to 0, got 1/,
    );
  });

  test("tells the texts of the likeliest", async () => {
    const { given } = await ask("llama.cpp", "score");
    const [first] = given as PositionScore[];
    expect(first?.texts).toEqual(first?.tokenIds.map(textsOf));
  });

  test("for a part of a character is asked for everything there, behind another token", async () => {
    const fake = { partsOfCharacters: [3] };
    const { given, bodies } = await ask("llama.cpp", "score", { fake });
    const forced = bodies.map(({ prompt, n_probs, logit_bias }) => [
      (prompt as number[]).length,
      n_probs,
      (logit_bias as number[][])[0]?.[0],
    ]);
    const end = tokenizer.endIds[0];
    expect(forced).toEqual([
      [2, 3, 3],
      [2, V, end],
      [4, 3, 4],
    ]);
    const truth = knownLogProbs([1, 2], V);
    const [first] = given as { tokenLogProb: number; tokenIds: number[]; logProbs: number[] }[];
    expect(first?.tokenLogProb).toBeCloseTo(truth[3] as number, 6);
    expect(first?.tokenIds).toEqual(likeliest(truth, 3));

    const { bodies: others } = await ask("llama.cpp", "score", {
      ...{ fake, own: { ...tokenizer, endIds: [] } },
    });
    expect((others[1]?.["logit_bias"] as number[][])[0]?.[0]).toBe(0);
    const absent: Change = (answer) => {
      const all = (answer as { completion_probabilities?: { top_logprobs: { id: number }[] }[] })
        .completion_probabilities?.[0];
      if (all !== undefined) all.top_logprobs = all.top_logprobs.filter(({ id }) => id !== 3);
    };
    expect(await refusal("llama.cpp", absent, { fake })).toMatch(
      /position 2: expected token 3, got 9 others/,
    );
  });

  test("writes ids of the vocabulary", async () => {
    const written = (value: unknown) => refusedWriting("llama.cpp", set("tokens", value));
    expect(await written([0, 9])).toBe("accepted");
    expect(await written([10])).toMatch(/tokens, token 0: expected a token id below 10, got 10/);
    expect(await written("x")).toMatch(/tokens: expected a list, got x/);
  });
});

describe("openai", () => {
  const lists = "choices.0.logprobs";

  test("repeats the prompt, with or without the token that had to be generated", async () => {
    const { given } = await ask("openai", "score");
    expect(given).toHaveLength(2);
    const cut =
      (count: number): Change =>
      (answer) => {
        const { choices } = answer as { choices: { logprobs: Record<string, unknown[]> }[] };
        const logprobs = choices[0]!.logprobs;
        for (const [name, list] of Object.entries(logprobs)) {
          logprobs[name] = [...list, ...list].slice(0, count);
        }
      };
    expect(await refusal("openai", cut(6))).toBe("accepted");
    expect(await refusal("openai", cut(7))).toBe("accepted");
    for (const count of [5, 8]) {
      expect(await refusal("openai", cut(count))).toMatch(
        new RegExp(`expected 6 or 7 entries, got ${count} entries\\. The server does not repeat`),
      );
    }
    expect(await refusal("openai", set(`${lists}.top_logprobs`, undefined))).toMatch(
      /logprobs\.top_logprobs: expected 6 or 7 entries, got nothing/,
    );
    expect(await refusal("openai", set(lists, undefined))).toMatch(
      /choices\[0\]\.logprobs: expected an object, got nothing\. The server does not repeat/,
    );
    expect(await refusal("openai", set(`${lists}.token_logprobs.0`, -1))).toMatch(
      /token_logprobs\[0\]: expected null, got -1/,
    );
  });

  test("of the tokens that were sent", async () => {
    for (const p of [0, 3, 5]) {
      expect(await refusal("openai", set(`${lists}.tokens.${p}`, "h"))).toMatch(
        new RegExp(`position ${p}: expected token ${ids[p]}, got token h\\. The server made other`),
      );
      expect(await refusal("openai", set(`${lists}.tokens.${p}`, 7))).toMatch(/got token 7/);
    }
  });

  test("lists texts of single tokens with numbers", async () => {
    const top = `${lists}.top_logprobs`;
    expect(await refusal("openai", set(`${top}.2`, 7))).toMatch(
      /position 2: expected an object, got 7/,
    );
    expect(await refusal("openai", set(`${top}.2.zz`, -9))).toMatch(
      /position 2: expected the text of a token, got "zz"\. Servers that answer with ids/,
    );
    expect(await refusal("openai", set(`${lists}.token_logprobs.2`, null))).toMatch(
      /position 2: expected a log-probability, got null/,
    );
  });

  test("what contradicts itself where nobody asked is an error, what has no numbers is not", async () => {
    const at3 = (path: string, value: unknown) => refusal("openai", set(`${lists}.${path}`, value));
    expect(await at3("token_logprobs.3", -0.001)).toMatch(/position 3: expected/);
    expect(await at3("token_logprobs.5", -0.001)).toMatch(/position 5: expected/);
    expect(await at3("token_logprobs.3", null)).toBe("accepted");
    expect(await at3("top_logprobs.3", null)).toBe("accepted");
    expect(await at3("top_logprobs.3", 7)).toBe("accepted");
    expect(await at3("top_logprobs.3", { a: null, zz: -1 })).toBe("accepted");
  });
});
