import * as tf from "@tensorflow/tfjs-core";
import {
  encodeCandidate,
  type EncodeCandidateOptions,
  type RankingList,
  type Tokenizer,
} from "../data/index.js";
import { PupilError } from "../errors/index.js";
import { sequenceInputs, type SequenceModel } from "../models/index.js";
import { readValues } from "../tensors/index.js";

/** Scores the candidates of queries; higher is better. */
export interface ListTeacher {
  /** For messages. */
  readonly name: string;
  /** A score per candidate, in the list's order. */
  scores(list: RankingList): Promise<readonly number[]>;
}

export interface ModelListTeacherOptions extends EncodeCandidateOptions {
  readonly name?: string;
  /** The model's own, which may be another than the student's. */
  readonly tokenizer: Tokenizer;
  /** Candidates per forward pass. Default: 32. */
  readonly batchSize?: number;
}

/** A reranker in this process; its model stays the caller's. */
export function modelListTeacher(
  model: SequenceModel,
  { name = "model", tokenizer, batchSize = 32, ...lengths }: ModelListTeacherOptions,
): ListTeacher {
  return {
    name,
    scores: ({ query, candidates }) => {
      const rows = candidates.map(
        ({ text }) => encodeCandidate(tokenizer, query, text, lengths).ids,
      );
      return scoreSequences(model, rows, { padId: tokenizer.padId, batchSize });
    },
  };
}

/** First scores of whole sequences, without a gradient. */
export async function scoreSequences(
  model: SequenceModel,
  rows: readonly (readonly number[])[],
  { padId, batchSize }: { readonly padId: number; readonly batchSize: number },
): Promise<number[]> {
  const scores: number[] = [];
  for (let start = 0; start < rows.length; start += batchSize) {
    const part = rows.slice(start, start + batchSize);
    const first = tf.tidy(() => {
      const all = model.forward(sequenceInputs(part, padId));
      return all.slice([0, 0], [part.length, 1]).reshape<tf.Tensor1D>([part.length]);
    });
    scores.push(...(await readValues(first, "float32")));
  }
  return scores;
}

/**
 * Scores from a file, such as a run of another system.
 *
 * @param scores by query id and passage id
 */
export function recordedListTeacher(
  name: string,
  scores: ReadonlyMap<string, ReadonlyMap<string, number>>,
): ListTeacher {
  return {
    name,
    scores: ({ queryId, candidates }) => {
      const values = candidates.map(({ docid }) => {
        const score = scores.get(queryId)?.get(docid);
        if (score !== undefined) return score;
        throw new PupilError(`has no score of passage "${docid}" for query "${queryId}".`, {
          field: name,
          value: docid,
          remedy: "Score every candidate of every query, or leave out the passages without one.",
        });
      });
      return Promise.resolve(values);
    },
  };
}
