/** Inputs on which comparable tools went wrong, one of a kind, with the values of Python. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, test } from "vitest";
import { makeBatch, readExamples, readRows } from "../../src/data/index.js";
import {
  decodeSafetensors,
  decoderFromTensors,
  parseHuggingFaceConfig,
} from "../../src/models/index.js";
import {
  inspectData,
  loadModelFolder,
  loadTokenizer,
  openDataFile,
  openRecording,
} from "../../src/node/index.js";
import { readShardTable } from "../../src/node/recording/open-recording.js";
import { collect, messageOf } from "../setup/data/data-rows.js";
import { tinyRun } from "../setup/runs/runs.js";
import { temporaryFolder } from "../setup/temporary-folder.js";

const cases = fileURLToPath(new URL("../../../shared/cases/", import.meta.url));
const at = (path: string) => join(cases, path);
const isMissing = !existsSync(cases);

/** The first row of chats as a run sees it, and what of it is learned. */
async function firstChat(tokenizer: string, data: string) {
  const config = tinyRun(temporaryFolder(), {
    student: {
      architecture: {
        family: "llama",
        hiddenSize: 8,
        numLayers: 1,
        numHeads: 2,
        maxPositions: 2048,
      },
    },
    tokenizer: { type: "file", path: at(tokenizer) },
    data: { type: "file", path: at(data), validationFraction: 0.34 },
    trainer: { type: "sft", steps: 1, batchSize: 1 },
  });
  const inspection = await inspectData(config, 1);
  const tokens = inspection.kind === "rows" ? (inspection.examples[0]?.tokens ?? []) : [];
  const textOf = (some: typeof tokens) => some.map(({ text }) => text).join("");
  return { text: textOf(tokens), learned: textOf(tokens.filter(({ learned }) => learned)) };
}

async function examplesOf(path: string) {
  const examples = readExamples([await openDataFile(at(path))], {});
  return (await collect(examples)).map(({ example }) => example);
}

async function rowsAt(path: string, options = {}) {
  const rows = await collect(readRows(await openDataFile(at(path), options)));
  return rows.map(({ row }) => row);
}

describe.skipIf(isMissing)("tokenizers (needs ../shared/cases)", () => {
  test.each([
    ["case-1-wordlevel", "A C N G T", [2, 3, 1, 4, 5]],
    ["case-2-whitespace", "le café est très naïve", [18, 23, 24, 26, 25]],
    ["case-4-splitbehavior", "the quick brown fox", [264, 271, 269, 270]],
    ["case-5-singleword", "a cat concatenates", [65, 221, 258, 268]],
  ])("%s", async (name, text, ids) => {
    expect((await loadTokenizer(at(name))).encode(text)).toEqual(ids);
  });

  test("an unknown word without a token for it", async () => {
    const tokenizer = await loadTokenizer(at("reliability/tokenizer/unknown-is-0.tokenizer.json"));
    expect(() => tokenizer.encode("zz")).toThrow(/no token for "z" \(in "zz"\)/);
  });
});

describe.skipIf(isMissing)("chat templates (needs ../shared/cases)", () => {
  test("keep the indentation that is learned", async () => {
    const { learned } = await firstChat(
      "case-6-qwen3strip/qwen3",
      "case-6-qwen3strip/indent.jsonl",
    );
    expect(learned).toContain("</think>\n\n    return x + 1\n<|im_end|>");
  });

  test("are given the tools, and numbers as they are written", async () => {
    for (const data of ["case-7-tools/tools.jsonl", "case-8-bigint/tools.jsonl"]) {
      const { text } = await firstChat("case-7-tools/qwen2_5", data);
      expect(text).toMatch(
        /<tools>\n\{"type": "function", "function": \{"name": "get_weather".*\n<\/tools>/,
      );
      expect(text).toContain('{"city": "Rome", "station": 1234567890123456789, "lat": 41.0}');
    }
  });

  test.each(["weight.jsonl", "chat_train.jsonl"])(
    "do not teach a turn that is left out: %s",
    async (file) => {
      const folder = "case-10-weight";
      const data = file === "weight.jsonl" ? `${folder}/${file}` : undefined;
      if (data !== undefined) {
        const { text, learned } = await firstChat("case-7-tools/qwen2_5", data);
        expect(text).toContain("BAD");
        expect(learned).not.toContain("BAD");
        expect(learned).toContain("GOOD");
      }
      const [first] = await examplesOf(`${folder}/${file}`);
      expect(first).toMatchObject({ isLearned: [true, false, true, true] });
    },
  );

  test("of a turn without content", async () => {
    const [chat] = await examplesOf("case-12-nocontent/chat_nocontent.jsonl");
    const { messages } = chat as { messages: object[] };
    expect(messages[1]).not.toHaveProperty("content");
    expect(await messageOf(examplesOf("case-12-nocontent/pq_msgs_null.parquet"))).toMatch(
      /pq_msgs_null\.parquet:2: the field "messages" has no list of messages: it is missing or null/,
    );
  });
});

describe.skipIf(isMissing)("data (needs ../shared/cases)", () => {
  const [ab, cd] = [
    { prompt: "a", completion: "b" },
    { prompt: "c", completion: "d" },
  ];
  test.each([
    ["mix1.csv", [ab, cd]],
    ["mix3.csv", ["first", "second", "third", "fourth"].map((n) => ({ text: `${n} line` }))],
    ["mix4.csv", [{ text: "foo" }, { text: "bar" }]],
    ["mix5.tsv", [ab, cd]],
    [
      "mixedcrlf.csv",
      [
        { prompt: "a\nb", completion: "c" },
        { prompt: "d", completion: "e" },
      ],
    ],
  ])("line ends of %s", async (file, rows) => {
    expect(await rowsAt(`case-9-csvlines/${file}`)).toEqual(rows);
  });

  test("numbers as they are written", async () => {
    expect(await examplesOf("case-8-bigint/answer.jsonl")).toEqual([
      { prompt: "a", completion: "b", answer: "12345678901234567890" },
    ]);
  });

  test.each([
    ["parquet/hang/t.parquet", /cannot be read \(decoding takes longer than/],
    ["parquet/lost-row/t.parquet", /is not a readable Parquet file/],
    ["parquet/unhandled/t.parquet", /is not a readable Parquet file/],
    ["json-reader/json-1209daec/t.json", /has the field "rows" twice/],
    ["json-reader/json-2ae36eb5/t.json", /is not valid JSON/],
  ])("damage in %s is said", async (path, message) => {
    expect(await messageOf(rowsAt(`reliability/${path}`, { parquetSeconds: 0.5 }))).toMatch(
      message,
    );
  });
});

describe.skipIf(isMissing)("models and recordings (needs ../shared/cases)", () => {
  test("rope_parameters win over a top-level rope_theta", () => {
    const folder = at("case-13-ropetheta/llama_both_theta");
    const json: unknown = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    const { config } = parseHuggingFaceConfig(json, folder);
    const tensors = decodeSafetensors(readFileSync(join(folder, "model.safetensors")), folder);
    using model = decoderFromTensors(config, tensors, folder);
    using batch = makeBatch(
      [{ ids: [1, 5, 9, 13, 2, 7, 11, 3, 8, 4, 6, 10, 0], completionStart: 1 }],
      0,
    );
    const logits = tf.tidy(() => model.forward(batch).arraySync()[0]?.at(-1) ?? []);
    const wanted = [-0.191521, -0.088649, 0.535417, -0.425914, 0.2183, 0.185374];
    for (const [i, want] of wanted.entries()) expect(logits[i]).toBeCloseTo(want, 5);
  });

  test("a number of layers that no model has is refused at once", async () => {
    const folder = at("reliability/layers");
    expect(readFileSync(join(folder, "config.json"), "utf8")).toContain("2147483648");
    expect(await messageOf(loadModelFolder(folder))).toMatch(/num_hidden_layers: .*2147483648/);
  });

  test("shards that lie", async () => {
    for (const name of ["recording-66be2", "recording-e96d60b8"]) {
      const path = at(`reliability/recording/${name}/shard-00000.bin`);
      expect(await messageOf(readShardTable(path))).toMatch(/The shard is damaged/);
    }
    const manifest = at("reliability/recording/recording-e4c1d96a");
    expect(await messageOf(openRecording(manifest))).toMatch(/cannot be opened/);
  });
});
