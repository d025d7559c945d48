/** What a server may say wrongly: about tokens, before it is written in a protocol, and in its JSON. */
import type { TeacherServer } from "../../src/teachers/index.js";
import type { Random } from "../../src/tensors/index.js";
import type {
  Listed,
  Position,
  PositionChange,
} from "../../tests/setup/servers/fake-teacher-protocols.js";
import { choose } from "./http-faults.js";

type Stream = ReturnType<Random["stream"]>;

const shiftedLists =
  (by: number): PositionChange =>
  (positions) =>
    positions.map((position, p) => {
      const other = positions[(p + by + positions.length) % positions.length] as Position;
      return { ...position, top: other.top };
    });

const shiftedTokens: PositionChange = (positions) =>
  positions.map((position, p) => ({
    ...position,
    logProb: (positions[p + 1] ?? position).logProb,
  }));

const changedLogProbs =
  (change: (logProb: unknown) => unknown): PositionChange =>
  (positions) =>
    positions.map((position) => ({ ...position, logProb: change(position.logProb) }));

const changedLists =
  (change: (top: readonly Listed[]) => readonly Listed[]): PositionChange =>
  (positions) =>
    positions.map((position) => ({ ...position, top: change(position.top) }));

const changedFirst = (change: (first: Listed) => Listed): PositionChange =>
  changedLists(([first, ...rest]) => (first === undefined ? [] : [change(first), ...rest]));

const positive = (x: unknown) => (typeof x === "number" ? -x + 0.5 : x);

export const tokenFaults: Readonly<Record<string, PositionChange>> = {
  "lists shifted left": shiftedLists(1),
  "lists shifted right": shiftedLists(-1),
  "lists of another order": (positions) =>
    positions.map((p, i) => ({ ...p, top: (positions.at(-1 - i) as Position).top })),
  "tokens shifted": shiftedTokens,
  "all shifted": (positions) =>
    positions.map((_, p) => positions[p + 1] ?? (positions[p] as Position)),
  "ids shifted": (positions) =>
    positions.map((position, p) => ({ ...position, id: positions[p + 1]?.id ?? position.id })),
  "one position less": (positions) => positions.slice(0, -1),
  "one position more": (positions) => [...positions, positions.at(-1) as Position],
  "no positions": () => [],
  "unsorted lists": changedLists((top) => [...top].reverse()),
  "shorter lists": changedLists((top) => top.slice(0, -1)),
  "longer lists": changedLists((top) => [...top, ...top.slice(0, 2)]),
  "empty lists": changedLists(() => []),
  "a token twice": changedLists((top) => [top[0] as Listed, ...top.slice(0, -1)]),
  "a positive log-probability": changedLogProbs(positive),
  "null for a number": changedLogProbs(() => null),
  "a string for a number": changedLogProbs(String),
  "NaN by name": changedLogProbs(() => "NaN"),
  "a listed null": changedFirst((first) => ({ ...first, logProb: null })),
  "a listed string": changedFirst((first) => ({ ...first, logProb: String(first.logProb) })),
  "a listed positive": changedFirst((first) => ({ ...first, logProb: positive(first.logProb) })),
  "a listed object": changedFirst((first) => ({ ...first, logProb: { value: first.logProb } })),
  "an id beyond the vocabulary": changedFirst((first) => ({ ...first, id: 1e6 })),
  "a negative id": changedFirst((first) => ({ ...first, id: -1 })),
  "half an id": changedFirst((first) => ({ ...first, id: first.id + 0.5 })),
  "logits for log-probabilities": changedLists((top) =>
    top.map((entry) => ({ ...entry, logProb: (entry.logProb as number) + 3 })),
  ),
  "certain lists": changedLists((top) => top.map((entry) => ({ ...entry, logProb: -0.01 }))),
};

/** An oracle of its own: whether what is said about a position contradicts itself as it is written. */
export function contradicts(
  { id, logProb, top }: Position,
  server: TeacherServer,
  K: number,
  sent: number,
  isAsked: boolean,
): boolean {
  const isWrong = (x: unknown) => typeof x !== "number" || x > 1e-4;
  // vLLM names no token but by the keys of its object.
  if (
    (id !== sent && server !== "vllm") ||
    isWrong(logProb) ||
    top.some((entry) => isWrong(entry.logProb))
  )
    return true;
  const given = logProb as number;
  const listed = new Map(top.map((entry) => [entry.id, entry.logProb as number]));
  const known = listed.get(id);
  const ids = [...listed.keys()];
  if (ids.some((token) => !Number.isInteger(token) || token < 0 || token >= 1000)) return true;
  const precision = (x: number) => 2e-3 * Math.max(1, -x);
  if (server === "vllm") {
    const all = new Map([[id, given], ...listed]);
    const own = all.get(sent);
    if (own === undefined) return true;
    const others = [...all].filter(([token]) => token !== sent).map(([, x]) => x);
    if (all.size === K + 1 && own > Math.min(...others) + precision(own)) return true;
    if (isAsked && listed.size !== K) return true;
    return all.size === K + 1 && massOf(all.values()) > 1.002;
  }
  if (server === "openai") {
    // The token itself is in the same object, and wins over the list's own entry.
    listed.set(id, given);
    if (isAsked && listed.size !== K && listed.size !== K + 1) return true;
    const least = Math.min(...[...listed].filter(([token]) => token !== id).map(([, x]) => x));
    if (known === undefined && listed.size > K && given > least + precision(least)) return true;
    return massOf(listed.values()) > 1.002;
  }
  // What is listed where nothing is asked is held against the token, not counted.
  if (!isAsked && listed.size !== K) return false;
  if (listed.size !== K) return true;
  if (top.length !== K) return true;
  if (known !== undefined) {
    if (Math.abs(known - given) > precision(known)) return true;
    return massOf(listed.values()) > 1.002;
  }
  const least = Math.min(...listed.values());
  return given > least + precision(least) || massOf([...listed.values(), given]) > 1.002;
}

function massOf(logProbs: Iterable<number>): number {
  return [...logProbs].reduce((sum, x) => sum + Math.exp(x), 0);
}

type Json = Record<string, unknown>;

/** Changes of the parsed answer, all of which contradict it or leave what it says as it is. */
export const jsonFaults: Readonly<
  Record<string, { readonly isHarmless?: boolean; change(answer: Json, pick: Stream): unknown }>
> = {
  "unknown fields": {
    isHarmless: true,
    change: (answer) => ({ ...answer, "": 1, __proto: {}, warnings: ["x".repeat(1000)] }),
  },
  "another order of keys": {
    isHarmless: true,
    change: (answer) => Object.fromEntries(Object.entries(answer).reverse()),
  },
  "several choices": {
    change: (answer) =>
      Array.isArray(answer["choices"])
        ? { ...answer, choices: [answer["choices"][0], answer["choices"][0]] }
        : [answer, answer],
  },
  "no choices": {
    change: (answer) => ("choices" in answer ? { ...answer, choices: [] } : []),
  },
  "the wrong number of tokens": {
    change: (answer) => {
      if ("usage" in answer) return { ...answer, usage: { prompt_tokens: 99 } };
      if ("meta_info" in answer) {
        return { ...answer, meta_info: { ...(answer["meta_info"] as Json), prompt_tokens: 0 } };
      }
      return { ...answer, tokens_evaluated: 12345 };
    },
  },
  "another value": {
    change: (_answer, pick) =>
      choose(pick, [null, 5, "text", [], {}, [[[]]], { error: "no" }, true]),
  },
  "a field of another kind": {
    change: (answer, pick) => {
      const field = choose(
        pick,
        ["choices", "meta_info", "completion_probabilities", "tokens"].filter(
          (name) => name in answer,
        ),
      );
      const others = [null, 5, "x", {}, [null], [[]], [{}], { 0: {} }, false];
      return { ...answer, [field]: choose(pick, others) };
    },
  },
  "a list in lists": {
    change: (answer) => {
      let deep: unknown = [];
      for (let i = 0; i < 3000; i++) deep = [deep];
      const field = ["choices", "meta_info", "tokens"].find((name) => name in answer) ?? "tokens";
      return { ...answer, [field]: deep };
    },
  },
  "keys that are no ids": {
    change: (answer) => {
      const [choice] = (answer["choices"] ?? []) as Json[];
      const lists = choice?.["prompt_logprobs"] as (Json | null)[] | undefined;
      if (choice === undefined || lists === undefined) return null;
      const spoilt = lists.map((list) => {
        if (list === null) return null;
        const [first, ...rest] = Object.entries(list);
        const spellings = ["", " ", "0x1", "1e0", "+1", "01", "1.0", "-0", "null"];
        const spelling = spellings[rest.length % spellings.length] as string;
        return Object.fromEntries([[spelling, (first as [string, unknown])[1]], ...rest]) as Json;
      });
      return { ...answer, choices: [{ ...choice, prompt_logprobs: spoilt }] };
    },
  },
};
