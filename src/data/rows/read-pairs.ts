import { PupilError } from "../../errors/index.js";
import type { DataFile } from "../readers/data-file.js";
import { type DataFormat, readRows } from "../readers/index.js";
import { tokenizeExample } from "../text/tokenize.js";
import type { TokenSequence, Tokenizer } from "../types.js";
import { textField } from "./field-path.js";

export interface PairOptions {
  readonly format?: DataFormat | undefined;
  readonly fields?: {
    readonly prompt?: string | undefined;
    readonly positive?: string | undefined;
    readonly negative?: string | undefined;
  };
  /** Put after every prompt, as part of it. */
  readonly separator?: string;
  /** Most ids of an answer with its prompt. Default: no limit. */
  readonly maxLength?: number | undefined;
}

/** A preferred and a rejected answer to one prompt, in tokens. */
export interface AnswerPair {
  readonly positive: TokenSequence;
  readonly negative: TokenSequence;
}

/** What became of the rows. */
export interface PairReport {
  readonly rows: number;
  /** Rows left out because one of their answers is too long. */
  readonly dropped: number;
  /** Rows left out because both answers are the same. */
  readonly equal: number;
}

/**
 * Reads rows with a prompt and two answers. A pair is whole or not there: where one answer is too
 * long, the row is left out and counted.
 *
 * @throws PupilError naming file, line and field, or if no pair is left
 */
export async function readPairs(
  files: Iterable<DataFile>,
  tokenizer: Tokenizer,
  { format, fields = {}, separator = "", maxLength = Number.POSITIVE_INFINITY }: PairOptions = {},
): Promise<{ pairs: AnswerPair[]; report: PairReport }> {
  const { prompt = "prompt", positive = "chosen", negative = "rejected" } = fields;
  const pairs: AnswerPair[] = [];
  const report = { rows: 0, dropped: 0, equal: 0 };
  for (const file of files) {
    for await (const row of readRows(file, { format })) {
      report.rows += 1;
      const question = textField(row, prompt, "prompt") + separator;
      const answer = (name: string, role: string): TokenSequence => {
        const completion = textField(row, name, role);
        return { ...tokenizeExample(tokenizer, { prompt: question, completion }), id: row.where };
      };
      const pair = {
        positive: answer(positive, "positive"),
        negative: answer(negative, "negative"),
      };
      const isEqual = pair.positive.ids.join() === pair.negative.ids.join();
      const isLong = [pair.positive, pair.negative].some(({ ids }) => ids.length > maxLength);
      if (isEqual) report.equal += 1;
      else if (isLong) report.dropped += 1;
      else pairs.push(pair);
    }
  }
  if (pairs.length === 0) {
    throw new PupilError(
      `None of the ${report.rows} rows is a pair to learn from: ${report.equal} have two equal answers, ${report.dropped} are longer than ${maxLength} tokens.`,
      { field: "data", remedy: "Allow longer rows (maxLength), or check data.fields." },
    );
  }
  return { pairs, report };
}
