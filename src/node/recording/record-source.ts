import type { PreparedData, RecordOptions, RunConfig } from "../../config/index.js";
import {
  cutOff,
  decodeCompletion,
  type Example,
  type TokenSequence,
  tokenizeExample,
  type Tokenizer,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { Teacher } from "../../teachers/index.js";
import type { Random } from "../../tensors/index.js";

/** A row to record. */
export interface SourceRow {
  /** Undefined where the teacher wrote nothing. */
  readonly row: TokenSequence | undefined;
  /** As it stands in `rows.jsonl`, for rows that the teacher wrote; one that was cut off says so. */
  readonly written?: WrittenRow;
}

export type WrittenRow = Pick<Example, "prompt" | "completion"> & Partial<typeof cutOff>;

/** Everything that a recording goes through, in an order that depends on the config alone. */
export interface RecordSource {
  readonly size: number;
  rows(start: number, end: number): Promise<SourceRow[]>;
}

export interface SourceParts {
  readonly data: PreparedData;
  readonly tokenizer: Tokenizer;
  readonly teacher: Teacher;
  readonly random: Random;
}

/**
 * The training rows in the order in which the config's trainer reads them, then the evaluation rows.
 * With `generate`, the teacher's completions of the training prompts take the place of the data's.
 */
export function recordSource(
  config: RunConfig,
  options: RecordOptions,
  parts: SourceParts,
): RecordSource {
  const { training, evaluation } = parts.data;
  const { batchSize, steps } = config.trainer;
  const trainingRows = options.rows ?? training.size ?? steps * batchSize;
  const others = options.heldOut ? evaluation.flatMap(({ rows }) => rows) : [];
  const write = options.generate ? writer(options, parts) : undefined;

  const readTraining = async (start: number, end: number) => {
    const rows: TokenSequence[] = [];
    const first = Math.floor(start / batchSize);
    for (let step = first; step * batchSize < end; step++) {
      rows.push(...(await training.rows(step, batchSize)));
    }
    return rows.slice(start - first * batchSize, end - first * batchSize);
  };
  return {
    size: trainingRows + others.length,
    async rows(start, end) {
      const until = Math.min(end, trainingRows);
      const own = start < until ? await readTraining(start, until) : [];
      const rest = others.slice(Math.max(0, start - trainingRows), Math.max(0, end - trainingRows));
      return [
        ...(write === undefined ? own.map((row) => ({ row })) : await write(own, start)),
        ...rest.map((row) => ({ row })),
      ];
    },
  };
}

/**
 * Lets the teacher complete the prompts of rows. Its text is tokenized again as a run would tokenize
 * it, so that a run on `rows.jsonl` has exactly the rows that were recorded.
 */
function writer({ sampling, maxNewTokens, batchSize }: RecordOptions, parts: SourceParts) {
  const { data, tokenizer, teacher, random } = parts;
  const { endIds, padId } = tokenizer;
  const complete = teacher.complete?.bind(teacher);
  if (complete === undefined) {
    throw new PupilError(`The teacher "${teacher.name}" cannot write completions.`, {
      field: "generate",
      value: true,
      remedy: "Leave generate out to record the data's own rows, or use a teacher that writes.",
    });
  }
  // What is written is tokenized again, and bytes that are no text are more of them then.
  const longest = (teacher.maxPositions ?? Infinity) + 1;
  return async (rows: readonly TokenSequence[], first: number): Promise<SourceRow[]> => {
    const written: SourceRow[] = [];
    for (let start = 0; start < rows.length; start += batchSize) {
      const part = rows.slice(start, start + batchSize);
      const rollouts = await complete(part.map(data.training.promptOf), {
        endIds,
        padId,
        maxNewTokens: maxNewTokens ?? data.maxNewTokens,
        policy: sampling,
        random: random.stream("write"),
        sequenceIds: part.map((_, i) => first + start + i),
      });
      for (const [i, { promptIds, completionIds, finished }] of rollouts.entries()) {
        const example = {
          prompt: tokenizer.decode(promptIds),
          completion: decodeCompletion(tokenizer, promptIds, completionIds),
        };
        const { id } = part[i] as TokenSequence;
        const wasCut = !finished && endIds.length > 0;
        const whole = tokenizeExample(tokenizer, {
          ...example,
          ...(wasCut && { finished: false }),
        });
        const isCut = wasCut || whole.ids.length > longest;
        // As a run with this teacher cuts the row of rows.jsonl.
        const row = { ...whole, ids: whole.ids.slice(0, longest) };
        if (row.completionStart >= row.ids.length) written.push({ row: undefined });
        else {
          written.push({
            row: id === undefined ? row : { ...row, id },
            written: { ...example, ...(isCut && cutOff) },
          });
        }
      }
    }
    return written;
  };
}
