/** Data files: every format, and what rows of text, chats and pairs are read from them. */
import { parquetWriteBuffer } from "hyparquet-writer";
import {
  byteTokenizer,
  type DataFile,
  dataFile,
  type DataRow,
  readPairs,
  readQrels,
  readRows,
  readRun,
  readTexts,
  storeRows,
  type StoredRows,
} from "../../../src/data/index.js";
import { openDataFile } from "../../../src/node/index.js";
import { bytesOf, collect, type FuzzTarget, type Input } from "../target.js";
import { inFolder } from "./folder.js";

type Options = Parameters<typeof readRows>[1];

const only = (bytes: Uint8Array): Input => ({ data: bytes });
const fileOf = (name: string, { data }: Input): DataFile =>
  dataFile(name, Uint8Array.from(data as Uint8Array));

const pairs = Array.from({ length: 6 }, (_, i) => {
  return {
    prompt: `${i}+${i}=`,
    completion: `${2 * i}, "ü"\n`,
    answer: 2 * i,
    tags: ["a", { b: i }],
  };
});
const chats = Array.from({ length: 3 }, (_, i) => ({
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: [{ type: "text", text: `What is ${i}?` }] },
    { role: "assistant", content: `It is ${i}.`, weight: 1 },
  ],
}));
const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const csv = 'prompt,completion,answer\n1+1=,"2, or ""two""\n",2\n3,4,5\n\nü,"😀",6\n';

/** Rows that name their place and have own fields. */
function checkRows(value: unknown): string | undefined {
  const rows = value as readonly DataRow[];
  if (rows.length === 0) return "no rows, and no error that says so";
  const bad = rows.find(({ row, where }) => typeof row !== "object" || !/:\d+$/.test(where));
  return bad === undefined ? undefined : `a row without a place: ${JSON.stringify(bad)}`;
}

function format(
  name: string,
  file: string,
  seeds: readonly (string | object)[],
  shapes: FuzzTarget["shapes"],
  options: Options = {},
): FuzzTarget {
  return {
    name,
    shapes,
    seeds: () => seeds.map((seed) => only(bytesOf(seed))),
    read: (input) => collect(readRows(fileOf(file, input), options)),
    check: checkRows,
  };
}

/** The ids of stored rows: whole numbers of the vocabulary, some of them learned. */
async function idsOf({ store, report }: StoredRows): Promise<unknown> {
  try {
    const rows = await store.rows(Array.from({ length: store.length }, (_, i) => i));
    return { rows, report };
  } finally {
    store.dispose();
  }
}

function checkIds(value: unknown): string | undefined {
  const { rows } = value as {
    rows: readonly { ids: readonly number[]; completionStart: number }[];
  };
  const bad = rows.find(
    ({ ids, completionStart }) =>
      ids.some((id) => !Number.isInteger(id) || id < 0 || id >= tokenizer.vocabSize) ||
      completionStart < 1 ||
      completionStart > ids.length,
  );
  return bad && `stored ids that are none: ${JSON.stringify(bad).slice(0, 200)}`;
}

const tokenizer = byteTokenizer();
const chatTemplate =
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.role == 'assistant' %}.{% endif %}\n{% endfor %}";

const tables = () => {
  const count = 12;
  const of = <T>(make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  const columnData = [
    { name: "prompt", data: of((i) => `p${i}`), type: "STRING" as const },
    {
      name: "completion",
      data: of((i) => (i % 3 === 0 ? null : `c${i % 2}`)),
      type: "STRING" as const,
    },
    { name: "answer", data: of((i) => BigInt(i)), type: "INT64" as const },
    { name: "score", data: of((i) => i / 2), type: "DOUBLE" as const },
    { name: "nested", data: of((i) => ({ value: `v${i}` })), type: "JSON" as const },
  ];
  return [
    new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 5 })),
    new Uint8Array(
      parquetWriteBuffer({ columnData: columnData.slice(0, 3), codec: "UNCOMPRESSED" }),
    ),
  ];
};

export const dataTargets: readonly FuzzTarget[] = [
  format("jsonl", "t.jsonl", [lines(pairs), lines(chats)], { "*": ["jsonLines", "lines", "text"] }),
  format("json", "t.json", [pairs, chats], { "*": ["json", "text"] }),
  format(
    "json-rows-field",
    "t.json",
    [{ version: "1", data: pairs, other: [[1], {}] }],
    { "*": ["json", "text"] },
    { rowsField: "data" },
  ),
  format("text", "t.txt", ["First line.\n\nThird, ü 😀.\r\n"], { "*": ["text", "lines"] }),
  format("csv", "t.csv", [csv, csv.replaceAll("\n", "\r\n")], { "*": ["text", "lines"] }),
  format("csv-columns", "t.csv", [csv], { "*": ["text", "lines"] }, { columns: ["a", "b", "c"] }),
  format("tsv", "t.tsv", [csv.replaceAll(",", "\t")], { "*": ["text", "lines"] }),
  {
    name: "parquet",
    shapes: {},
    seeds: () => tables().map(only),
    read: (input) =>
      inFolder({ "t.parquet": input["data"] as Uint8Array }, async (folder) => {
        const file = await openDataFile(`${folder}/t.parquet`, { parquetSeconds: 2 });
        return collect(readRows(file));
      }),
    // A float of the file can be NaN: one changed byte makes one.
    allowsNaN: true,
    // Of both seeds.
    check: (value) => {
      const { length } = value as readonly DataRow[];
      return length === 12 ? checkRows(value) : `${length} rows in place of 12`;
    },
  },
  {
    name: "rows",
    shapes: { "*": ["jsonLines", "lines"] },
    seeds: () => [only(bytesOf(lines(pairs)))],
    read: async (input) => idsOf(await storeRows([fileOf("t.jsonl", input)], tokenizer, {})),
    check: checkIds,
    allowsUndefined: true,
  },
  {
    name: "chats",
    shapes: { "*": ["jsonLines", "lines"] },
    seeds: () => [only(bytesOf(lines(chats)))],
    read: async (input) =>
      idsOf(await storeRows([fileOf("t.jsonl", input)], tokenizer, { chatTemplate })),
    check: checkIds,
    allowsUndefined: true,
  },
  {
    name: "chat-template",
    shapes: { "*": ["text"] },
    seeds: () => [{ template: bytesOf(chatTemplate) }],
    read: async ({ template }) => {
      const rows = [dataFile("t.jsonl", lines(chats))];
      const text = new TextDecoder().decode(template);
      return idsOf(await storeRows(rows, tokenizer, { chatTemplate: text }));
    },
    check: checkIds,
    allowsUndefined: true,
  },
  {
    name: "pairs",
    shapes: { "*": ["jsonLines", "lines"] },
    seeds: () => {
      const rows = pairs.map(({ prompt }) => ({ prompt, chosen: "yes", rejected: "no" }));
      return [only(bytesOf(lines(rows)))];
    },
    read: (input) => readPairs([fileOf("t.jsonl", input)], tokenizer),
    allowsUndefined: true,
  },
  {
    name: "trec-qrels",
    shapes: { "*": ["text", "lines"] },
    seeds: () => [only(bytesOf("q1 0 d1 2\nq1 0 d2 0\nq2\t0\td1\t1\n"))],
    read: (input) => collect(readQrels(fileOf("qrels.txt", input))),
  },
  {
    name: "trec-run",
    shapes: { "*": ["text", "lines"] },
    seeds: () => [only(bytesOf("q1 Q0 d1 1 12.5 bm25\nq1 Q0 d2 2 11.25 bm25\n"))],
    read: (input) => collect(readRun(fileOf("run.txt", input))),
  },
  {
    name: "trec-texts",
    shapes: { "*": ["text", "lines"] },
    seeds: () => [only(bytesOf('d1\tA text.\nd2\t"Another ""text""."\n'))],
    read: async (input) => [...(await readTexts(fileOf("corpus.tsv", input))).texts],
  },
];
