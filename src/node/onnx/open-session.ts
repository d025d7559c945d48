import { readdir } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type * as transformers from "@xenova/transformers";
import { PupilError, showValue } from "../../errors/index.js";
import type { OnnxSession, OnnxTensor, OnnxValueInfo } from "../../teachers/index.js";
import { exists, isFolder } from "../files/file-exists.js";
import { readJson } from "../files/read-files.js";
import { loadTransformers } from "../optional-packages.js";
import { hubFailure, hubJson, hubOptions } from "./hub-model.js";

type Transformers = typeof transformers;
type Json = Readonly<Record<string, unknown>>;

/** Which ONNX model to open, and how. */
export interface OnnxSource {
  /** Folder, or a model's name on the Hub. */
  readonly from: string;
  readonly device: "cpu" | "webgpu";
  readonly dtype?: string | undefined;
  /** ONNX file within the model; else `onnx/model….onnx`. */
  readonly file?: string | undefined;
  readonly revision?: string | undefined;
}

export interface OpenedModel {
  readonly session: OnnxSession;
  /** `config.json`; empty where there is none. */
  readonly config: Json;
  readonly isLocal: boolean;
  /** The ONNX file and its data files, where the model is a folder. */
  readonly files?: readonly string[];
}

/**
 * Opens the ONNX file of a causal language model with transformers.js. The file itself is asked for
 * its inputs and outputs, so it may have names that transformers.js does not know.
 *
 * @throws PupilError for a folder or name that is not there, a model that is no causal language model,
 *   a file that is missing or that the runtime cannot load
 */
export async function openOnnxSession(source: OnnxSource): Promise<OpenedModel> {
  const hub = await loadTransformers();
  const isLocal = await isFolder(source.from);
  if (!isLocal) checkHubName(source.from);
  checkOptions(source, isLocal);
  const config = isLocal ? await localConfig(source) : await hubJson(hub, source, "config.json");
  checkArchitecture(hub, config, source);
  const model = await loadModel(hub, source, config, isLocal);
  const session = sessionOf(hub, model);
  return { session, config, isLocal, ...(isLocal ? { files: await filesOf(source, model) } : {}) };
}

function checkHubName(from: string): void {
  if (/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(from)) return;
  throw new PupilError("The model folder does not exist.", {
    field: from,
    remedy: "Give a folder that `pupil export` wrote, or a model's name on the Hub: owner/name.",
  });
}

/** An option that would have no effect is a mistake. */
function checkOptions({ from, file, dtype, revision }: OnnxSource, isLocal: boolean): void {
  if (file !== undefined && dtype !== undefined) {
    throw new PupilError("file and dtype both say which ONNX file to use.", {
      field: "teacher.dtype",
      value: dtype,
      remedy: "Leave out one of them; dtype is for files that are named as transformers.js does.",
    });
  }
  if (isLocal && revision !== undefined) {
    throw new PupilError(`${from} is a folder here, which has no revisions.`, {
      field: "teacher.revision",
      value: revision,
      remedy: "Leave it out; it is for models on the Hugging Face Hub.",
    });
  }
}

async function localConfig({ from, file }: OnnxSource): Promise<Json> {
  const path = join(from, "config.json");
  // A file named by the user says itself what it reads.
  if (file !== undefined && !(await exists(path))) return {};
  return (await readJson(path, "model config")) as Json;
}

function checkArchitecture(hub: Transformers, config: Json, { from, file }: OnnxSource): void {
  const type = config["model_type"];
  const isDecoder =
    config["is_encoder_decoder"] !== true &&
    (file !== undefined || hub.AutoModelForCausalLM.supports(String(type)));
  if (isDecoder) return;
  throw new PupilError(`${showValue(type)} is no causal language model.`, {
    field: `${from}: model_type`,
    value: type,
    remedy:
      "A teacher must give the logits of every next token: use a decoder, such as gpt2, llama or qwen3.",
  });
}

type Model = Awaited<ReturnType<Transformers["PreTrainedModel"]["from_pretrained"]>>;

async function loadModel(
  hub: Transformers,
  source: OnnxSource,
  config: Json,
  isLocal: boolean,
): Promise<Model> {
  const { from, device, dtype, file } = source;
  const options = {
    // One session from one file, whatever the architecture.
    config: new hub.PretrainedConfig({ ...config, model_type: "custom" }),
    device,
    ...(file === undefined
      ? { ...(dtype === undefined ? {} : { dtype: dtype as "fp32" }) }
      : {
          subfolder: dirname(file) === "." ? "" : dirname(file),
          model_file_name: basename(file, ".onnx"),
          dtype: "fp32" as const,
        }),
    // 3 = errors only: the runtime's warnings are about its own optimizations.
    session_options: { logSeverityLevel: 3 as const },
    ...(isLocal ? { local_files_only: true } : hubOptions(source)),
  };
  try {
    return await hub.PreTrainedModel.from_pretrained(isLocal ? resolve(from) : from, options);
  } catch (error) {
    if (!isLocal) throw hubFailure(hub, source, file ?? "onnx/model.onnx", error);
    if (error instanceof hub.ModelFileNotFoundError) throw await missingFile(source);
    throw new PupilError(`The ONNX runtime cannot load the model: ${firstLine(error)}`, {
      field: file === undefined ? from : join(from, file),
      remedy: loadRemedies[device],
      cause: error,
    });
  }
}

/** Ends of the names that transformers.js gives to files, by precision. */
const suffixes: Readonly<Record<string, string>> = {
  ...{ fp32: "", fp16: "_fp16", q8: "_quantized", int8: "_int8", uint8: "_uint8" },
  ...{ q4: "_q4", q4f16: "_q4f16", bnb4: "_bnb4" },
};

async function filesOf({ from, file }: OnnxSource, model: Model): Promise<string[]> {
  const { dtype } = (model.sessions["model"] as RuntimeSession).config;
  const path = join(from, file ?? `onnx/model${suffixes[dtype] ?? ""}.onnx`);
  const names = await readdir(dirname(path));
  const own = names.filter(
    (name) => name === basename(path) || name.startsWith(`${basename(path)}_data`),
  );
  return own.sort().map((name) => join(dirname(path), name));
}

async function missingFile({ from, dtype, file }: OnnxSource): Promise<PupilError> {
  const names = await readdir(from, { recursive: true });
  const found = names.filter((name) => name.endsWith(".onnx"));
  const wanted = file ?? (dtype === undefined ? "an ONNX file" : `an ONNX file for ${dtype}`);
  const convert = names.includes("model.safetensors")
    ? `Write one with \`pupil export ${from} output=<folder>\`, or leave out the teacher's type.`
    : "Export the model to ONNX first.";
  return new PupilError(`The folder does not have ${wanted}.`, {
    field: from,
    remedy: found.length === 0 ? convert : `It has ${found.join(", ")}: set dtype or file.`,
  });
}

/** The runtime's reason without the place in its source. */
const firstLine = (error: unknown) =>
  (error instanceof Error ? error.message : String(error))
    .split("\n")[0]
    ?.replace(/^\S+\.cc:\d+ .* was false\. /, "")
    .replace(/\.?$/, ".");

const loadRemedies: Record<OnnxSource["device"], string> = {
  cpu: "Export the model again if the file is damaged, or try another dtype or file.",
  webgpu: 'Try device "cpu"; if that fails too, export the model again.',
};

/** A session of onnxruntime, as it is in Node and in browsers. */
interface RuntimeSession {
  readonly inputMetadata: readonly OnnxValueInfo[];
  readonly outputMetadata: readonly OnnxValueInfo[];
  /** What transformers.js chose. */
  readonly config: { readonly dtype: string };
  run(feeds: object, fetches: readonly string[]): Promise<Record<string, OnnxTensor>>;
}

function sessionOf(hub: Transformers, model: Model): OnnxSession {
  const session = model.sessions["model"] as RuntimeSession;
  let isReleased = false;
  const runtimeTensor = ({ type, data, dims }: OnnxTensor) =>
    new hub.Tensor(type as "float32", data as Float32Array, [...dims]).ort_tensor;
  return {
    inputs: session.inputMetadata,
    outputs: session.outputMetadata,
    run: (feeds, wanted) => {
      const entries = Object.entries(feeds).map(([name, tensor]) => [name, runtimeTensor(tensor)]);
      return session.run(Object.fromEntries(entries) as object, wanted);
    },
    release: () => {
      // The runtime refuses to release a session twice.
      if (!isReleased) void model.dispose();
      isReleased = true;
    },
  };
}
