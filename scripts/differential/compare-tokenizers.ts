import { isDeepStrictEqual } from "node:util";
import { type TokenizerEngine, tokenizerEngine } from "../../src/data/tokenizers/engine/engine.js";
import { type JsonObject, readVocabulary } from "../../src/data/tokenizers/vocabulary.js";
import { type Comparison, Tally } from "./comparison.js";

interface Case {
  /** Absent where ids alone were drawn. */
  readonly text?: string;
  readonly plain: number[];
  readonly framed: number[];
  /** Decoded from `plain` without special tokens, and from `framed` with them. */
  readonly skipped: string;
  readonly kept: string;
}

export function compareTokenizers(made: string): Comparison {
  const tokenizers = JSON.parse(made) as { json: JsonObject; cases: Case[] }[];
  const tally = new Tally();
  for (const { json, cases } of tokenizers) {
    let engine: TokenizerEngine;
    try {
      engine = tokenizerEngine(json, readVocabulary(json, "tokenizer"), "tokenizer");
    } catch (error) {
      tally.refuse(error);
      continue;
    }
    for (const each of cases) compareCase(engine, each, describe(json), tally);
  }
  return tally;
}

function compareCase(engine: TokenizerEngine, python: Case, of: string, tally: Tally): void {
  const plain = python.text === undefined ? python.plain : engine.encode(python.text);
  const framed = python.text === undefined ? python.framed : [...engine.frame(plain)];
  const here = {
    plain,
    framed,
    skipped: engine.decode(plain, true),
    kept: engine.decode(framed, false),
  };
  const { text, ...expected } = python;
  if (isDeepStrictEqual(here, expected)) tally.same += 1;
  else tally.differ(JSON.stringify(text ?? python.plain), expected, here, of);
}

/** All of it but the vocabulary. */
function describe({ model, ...parts }: JsonObject): string {
  const { vocab: _, merges: __, ...options } = model as JsonObject;
  return JSON.stringify({ ...parts, model: options }).slice(0, 2000);
}
