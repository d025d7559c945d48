import { copyFileSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "@xenova/transformers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { parseConfig, runConfigSchema } from "../../../../src/config/index.js";
import { loadTeacher } from "../../../../src/node/teachers/index.js";
import { type TeacherConfig, teacherSchema } from "../../../../src/teachers/index.js";
import { saveBoth } from "../../../setup/models/onnx-models.js";
import { runToEnd, tinyRun } from "../../../setup/runs/runs.js";
import { temporaryFolder } from "../../../setup/temporary-folder.js";

/** The message for a teacher that does not load. */
async function messageOf(config: object): Promise<string> {
  const parsed = teacherSchema.parse({ type: "onnx", ...config }) as TeacherConfig;
  const error = await loadTeacher(parsed)
    .then(async (loaded) => {
      const connected = loaded.connect({} as Parameters<typeof loaded.connect>[0]);
      await connected.finally(() => loaded.dispose());
      return undefined;
    })
    .catch((thrown: Error) => thrown);
  expect(error?.name).toBe("PupilError");
  return error?.message ?? "";
}

const modelFile = (folder: string) => join(folder, "onnx", "model.onnx");

/** Other names of the same length in an ONNX file. */
function rename(folder: string, from: string, to: string): void {
  const bytes = readFileSync(modelFile(folder)).toString("latin1").replaceAll(from, to);
  writeFileSync(modelFile(folder), bytes, "latin1");
}

function editConfig(folder: string, changes: object): void {
  const path = join(folder, "config.json");
  const config = JSON.parse(readFileSync(path, "utf8")) as object;
  writeFileSync(path, JSON.stringify({ ...config, ...changes }));
}

describe("a model that is no teacher is a clear error", () => {
  const cases: [string, (folder: string) => void, object, RegExp][] = [
    [
      "a folder that is not there",
      (f) => rmSync(f, { recursive: true }),
      {},
      /folder does not exist.*owner\/name/,
    ],
    [
      "no config",
      (f) => rmSync(join(f, "config.json")),
      {},
      /config\.json: The model config does not exist/,
    ],
    [
      "a config that is no JSON",
      (f) => writeFileSync(join(f, "config.json"), "{"),
      {},
      /config\.json: .*not valid JSON/,
    ],
    ["no ONNX file", (f) => rmSync(modelFile(f)), {}, /does not have an ONNX file\. Export/],
    [
      "another dtype than there is",
      () => {},
      { dtype: "q4" },
      /does not have an ONNX file for q4\. It has onnx\/model\.onnx: set dtype/,
    ],
    [
      "a file that is not there",
      () => {},
      { file: "decoder.onnx" },
      /does not have decoder\.onnx\. It has onnx\/model\.onnx/,
    ],
    [
      "a file that is cut off",
      (f) => truncateSync(modelFile(f), 9000),
      {},
      /cannot load the model: .*Export the model again/,
    ],
    [
      "a file that is something else",
      (f) => writeFileSync(modelFile(f), "hello"),
      {},
      /cannot load the model: .*Export the model again/,
    ],
    [
      "an encoder-decoder",
      (f) => editConfig(f, { model_type: "t5", is_encoder_decoder: true }),
      {},
      /model_type: "t5" is no causal language model/,
    ],
    [
      "an embedding model",
      (f) => editConfig(f, { model_type: "bert" }),
      {},
      /model_type: "bert" is no causal language model/,
    ],
    [
      "a decoder without its head",
      (f) => rename(f, "logits", "hidden"),
      {},
      /gives no logits.*outputs are hidden, present\.0/,
    ],
    [
      "a model of pictures",
      (f) => rename(f, "position_ids", "pixel_values"),
      {},
      /wants the input "pixel_values", which text does not have/,
    ],
    [
      "more likeliest tokens than there are",
      () => {},
      { topK: 99 },
      /teacher\.topK: is 99, more than the teacher's vocabulary/,
    ],
  ];
  test.each(cases)("%s", async (_, damage, config, message) => {
    const { onnx } = await saveBoth(temporaryFolder());
    damage(onnx);
    expect(await messageOf({ from: onnx, ...config })).toMatch(message);
  });

  test("options that would have no effect", async () => {
    const { onnx } = await saveBoth(temporaryFolder());
    const file = "onnx/model.onnx";
    expect(await messageOf({ from: onnx, file, dtype: "fp32" })).toMatch(
      /teacher\.dtype: file and/,
    );
    expect(await messageOf({ from: onnx, revision: "v2" })).toMatch(
      /teacher\.revision: .*a folder/,
    );
  });

  test("a model folder without an export says how to make one", async () => {
    const { model } = await saveBoth(temporaryFolder());
    expect(await messageOf({ from: model })).toMatch(/does not have an ONNX file\. .*pupil export/);
  });

  test("a dtype and a file that are none", () => {
    const parse = (teacher: object) =>
      parseConfig(
        runConfigSchema,
        { ...tinyRun("x"), teacher: { type: "onnx", from: "a", ...teacher } },
        "run",
      );
    expect(() => parse({ dtype: "fp8" })).toThrow(/teacher\.dtype.*fp8/);
    expect(() => parse({ file: "model.safetensors" })).toThrow(/teacher\.file.*\.onnx/);
  });

  test("another vocabulary than the student's", async () => {
    const folder = temporaryFolder();
    const { onnx } = await saveBoth(folder);
    rmSync(join(onnx, "tokenizer.json"));
    const run = tinyRun(folder, {
      teacher: { type: "onnx", from: onnx },
      tokenizer: { type: "byte" },
      trainer: { type: "distill", steps: 2, loss: [{ type: "forward-kl" }] },
    });
    await expect(runToEnd(run)).rejects.toThrow(/has a vocabulary of 17 tokens, the student of/);
  });
});

test("a folder's files identify the teacher, those of another precision do not", async () => {
  const { onnx } = await saveBoth(temporaryFolder());
  const weightsOf = async (config: object) => {
    const parsed = teacherSchema.parse({ type: "onnx", from: onnx, ...config }) as TeacherConfig;
    const loaded = await loadTeacher(parsed);
    loaded.dispose();
    return loaded.weights;
  };
  for (const name of ["model_fp16.onnx", "model.onnx_data", "other.onnx"]) {
    copyFileSync(modelFile(onnx), join(onnx, "onnx", name));
  }
  const own = [modelFile(onnx), `${modelFile(onnx)}_data`];
  expect(await weightsOf({})).toEqual(own);
  expect(await weightsOf({ dtype: "fp32" })).toEqual(own);
  expect(await weightsOf({ dtype: "fp16" })).toEqual([join(onnx, "onnx", "model_fp16.onnx")]);
  expect(await weightsOf({ file: "onnx/other.onnx" })).toEqual([join(onnx, "onnx", "other.onnx")]);
});

describe("a model by its name on the Hub", () => {
  const fetched = env.fetch;
  beforeEach(() => {
    vi.stubEnv("HF_HOME", temporaryFolder());
    vi.stubEnv("HF_TOKEN", "hf_secret");
  });
  afterEach(() => {
    env.fetch = fetched;
    vi.unstubAllEnvs();
  });
  const offline = () =>
    Promise.reject(new TypeError("fetch failed", { cause: { code: "ENOTFOUND" } }));

  test("without a connection", async () => {
    env.fetch = offline;
    const message = await messageOf({ from: "someone/tiny-gpt2" });
    expect(message).toMatch(
      /someone\/tiny-gpt2: There is no such folder, and config\.json .* Hub could not be loaded: fetch failed \(ENOTFOUND\)\. Without a connection, give a folder/,
    );
    expect(message).not.toContain("hf_secret");
  });

  test("that is not there", async () => {
    env.fetch = () => Promise.resolve(new Response("no", { status: 401 }));
    const message = await messageOf({ from: "someone/tiny-gpt3" });
    expect(message).toMatch(
      /no such folder, and the Hugging Face Hub has no config\.json.*HF_TOKEN/,
    );
    expect(message).not.toContain("hf_secret");
  });

  test("is loaded with its tokenizer and the token of the environment, then from disk", async () => {
    const { onnx } = await saveBoth(temporaryFolder());
    const asked: string[] = [];
    env.fetch = (url, options) => {
      const { pathname } = new URL(String(url));
      const headers = new Headers(options?.headers);
      asked.push(`${pathname} ${headers.get("authorization")}`);
      return Promise.resolve(
        fileResponse(pathname.replace("/someone/tiny/resolve/v1", onnx), headers),
      );
    };
    const config = { type: "onnx", from: "someone/tiny", revision: "v1" };
    const load = () => loadTeacher(teacherSchema.parse(config) as TeacherConfig);
    const first = await load();
    expect(first.tokenizer?.vocabSize).toBe(17);
    expect(first.maxPositions).toBe(32);
    first.dispose();
    expect(new Set(asked)).toEqual(
      new Set(
        [
          "config.json",
          "onnx/model.onnx",
          "tokenizer.json",
          "tokenizer_config.json",
          "generation_config.json",
        ].map((file) => `/someone/tiny/resolve/v1/${file} Bearer hf_secret`),
      ),
    );
    asked.length = 0;
    const second = await load();
    second.dispose();
    expect(asked.filter((line) => line.includes("model.onnx"))).toEqual([]);
  });
});

/** A file as the Hub answers with it, whole or the range that is asked for. */
function fileResponse(path: string, headers: Headers): Response {
  const bytes = readFileSync(path);
  const [, from, to] = /bytes=(\d+)-(\d+)/.exec(headers.get("range") ?? "") ?? [];
  const part = from === undefined ? bytes : bytes.subarray(Number(from), Number(to) + 1);
  return new Response(new Uint8Array(part), {
    status: from === undefined ? 200 : 206,
    headers: {
      etag: '"1"',
      "content-length": String(part.length),
      ...(from === undefined ? {} : { "content-range": `bytes ${from}-${to}/${bytes.length}` }),
    },
  });
}
