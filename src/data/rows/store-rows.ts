import { PupilError, requireMember } from "../../errors/index.js";
import type { ChatTemplate } from "../chat/chat-template.js";
import { compileChatTemplate } from "../chat/chat-template.js";
import type { LearnedTurns } from "../chat/encode-chat.js";
import type { DataFile } from "../readers/data-file.js";
import { type DataFormat, readRows } from "../readers/index.js";
import type { ReadOptions } from "../readers/reader.js";
import { RowStore } from "../store/row-store.js";
import type { SpillFile } from "../store/token-store.js";
import type { Tokenizer } from "../types.js";
import {
  exampleOfRow,
  fieldsWanted,
  type NamedExample,
  type RowFields,
  shapeOf,
  shapeOfFields,
} from "./row-shapes.js";
import {
  checkAnyKept,
  type LongRowPolicy,
  rowTokenizer,
  type TokenizeReport,
} from "./row-tokenizer.js";

export interface ExampleOptions extends Omit<ReadOptions, "only"> {
  readonly format?: DataFormat | undefined;
  readonly fields?: RowFields;
  /** Put before every prompt, as part of it. */
  readonly prefix?: string;
  /** Put after every prompt, as part of it. */
  readonly separator?: string;
}

/**
 * The rows of files as examples, one at a time.
 *
 * @throws PupilError naming file, line and field
 */
export async function* readExamples(
  files: Iterable<DataFile>,
  options: ExampleOptions = {},
): AsyncGenerator<NamedExample> {
  requireMember(files, Symbol.iterator, {
    field: "readExamples: files",
    remedy: "Give it files: [await openDataFile(path)].",
  });
  const { fields = {}, prefix = "", separator } = options;
  let shape = shapeOfFields(fields);
  for (const file of files) {
    const only = shape && fieldsWanted(fields, shape);
    for await (const row of readRows(file, { ...options, only })) {
      shape ??= shapeOf(row, fields);
      yield withPrefix(exampleOfRow(row, shape, fields, separator), prefix);
    }
  }
}

function withPrefix(row: NamedExample, prefix: string): NamedExample {
  const { example, id } = row;
  if (prefix === "") return row;
  if (!("messages" in example)) {
    return { id, example: { ...example, prompt: prefix + example.prompt } };
  }
  throw new PupilError("stands before prompts of text, and these are lists of messages.", {
    field: "data.prefix",
    value: prefix,
    remedy: "Leave prefix out, or put it into the messages.",
  });
}

export interface StoreRowsOptions extends ExampleOptions {
  readonly maxLength?: number | undefined;
  readonly longRows?: LongRowPolicy;
  /** Jinja template for chats. Default: the tokenizer's own. */
  readonly chatTemplate?: string | undefined;
  readonly learn?: LearnedTurns;
  /** Bytes of tokens to keep in memory; the others go to the spill file. Default: no limit. */
  readonly memoryLimitBytes?: number | undefined;
  readonly createSpillFile?: (() => Promise<SpillFile>) | undefined;
  /** Told of every row that is kept, in their order. */
  readonly onKept?: ((row: NamedExample) => void) | undefined;
}

export interface StoredRows {
  /** The caller owns it. */
  readonly store: RowStore;
  readonly report: TokenizeReport;
}

/**
 * Reads and tokenizes the rows of files into a row store: one row of text is in memory at a time,
 * and of the tokens no more than the limit.
 *
 * @throws PupilError naming file, line and field, or if no row is left
 */
export async function storeRows(
  files: Iterable<DataFile>,
  tokenizer: Tokenizer,
  options: StoreRowsOptions,
): Promise<StoredRows> {
  const { memoryLimitBytes, createSpillFile, chatTemplate, onKept } = options;
  const store = new RowStore({
    bytesPerWord: tokenizer.vocabSize <= 0x1_0000 ? 2 : 4,
    ...(memoryLimitBytes === undefined ? {} : { memoryLimitBytes }),
    createSpillFile,
  });
  try {
    let template: ChatTemplate | undefined;
    let rows: ReturnType<typeof rowTokenizer> | undefined;
    for await (const example of readExamples(files, options)) {
      if (rows === undefined) {
        const isChat = "messages" in example.example;
        template = isChat ? await compileChatTemplate(tokenizer, chatTemplate) : undefined;
        rows = rowTokenizer(tokenizer, { ...options, template });
      }
      const row = rows.encode(example);
      if (row === undefined) continue;
      await store.append(row);
      onKept?.(example);
    }
    if (rows === undefined) throw new Error("storeRows was given no files.");
    const report = rows.report();
    checkAnyKept(report, options.maxLength);
    return { store, report };
  } catch (error) {
    store.dispose();
    throw error;
  }
}
