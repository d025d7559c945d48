import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../errors/index.js";
import { createVariable, disposeAll, keepTensor } from "../../tensors/index.js";
import type { ModelConfig } from "../decoder/config.js";
import { Decoder } from "../decoder/decoder.js";
import { enumerate } from "../decoder/enumerate.js";
import { families, type Family } from "../families/index.js";
import { decoderLayout, type ParameterSpec, parameterSpecs } from "../decoder/layout.js";
import { readTensors } from "./read-tensors.js";
import type { TensorValues } from "./safetensors.js";

/** What is known of a tensor before it is read. */
interface Shaped {
  readonly shape: readonly number[];
}

/** A checkpoint whose tensors are read one by one. */
export interface CheckpointReader {
  readonly entries: ReadonlyMap<string, Shaped>;
  read(name: string): Promise<Float32Array>;
}

/**
 * A decoder with the weights of a Hugging Face checkpoint. Names may lack the base model's prefix
 * (`h.0…` for `transformer.h.0…`), as in files saved from a model without a head.
 *
 * @param source how errors call the checkpoint, such as its path
 * @throws PupilError that lists missing and unexpected tensors and wrong shapes by name
 */
export function decoderFromTensors(
  config: ModelConfig,
  tensors: ReadonlyMap<string, TensorValues>,
  source: string,
): Decoder {
  const { parameters, tiedHead } = matchTensors(config, tensors, source);
  const read = (name: string) => (tensors.get(name) as TensorValues).data;
  if (tiedHead) checkTiedHead(tiedHead, read(tiedHead.name), read(tiedHead.embedding), source);
  const variables = parameters.map(({ spec, name }): [string, tf.Variable] => {
    return [spec.name, createVariable(tf.tensor(read(name), [...spec.shape], "float32"))];
  });
  return new Decoder(config, new Map(variables));
}

/** The same from a checkpoint that is not in memory: holds one tensor at a time beside the model. */
export async function loadDecoder(
  config: ModelConfig,
  reader: CheckpointReader,
  source: string,
): Promise<Decoder> {
  const { parameters, tiedHead } = matchTensors(config, reader.entries, source);
  if (tiedHead) {
    const [head, embedding] = [tiedHead.name, tiedHead.embedding];
    checkTiedHead(tiedHead, await reader.read(head), await reader.read(embedding), source);
  }
  const variables = new Map<string, tf.Variable>();
  try {
    for (const { spec, name } of parameters) {
      const data = await reader.read(name);
      variables.set(spec.name, createVariable(tf.tensor(data, [...spec.shape], "float32")));
    }
    return new Decoder(config, variables);
  } catch (error) {
    disposeAll(variables.values());
    throw error;
  }
}

/**
 * The model's parameters on the host, in its order, for {@link encodeSafetensors}; where an adapter is
 * active, with what it adds to them.
 */
export async function decoderToTensors(model: Decoder): Promise<Map<string, TensorValues>> {
  const sums: tf.Tensor[] = [];
  try {
    return await readTensors(keepSums(model, sums));
  } finally {
    disposeAll(sums);
  }
}

/** The effective parameters; those that are new tensors go into `sums`, to be released. */
function keepSums(model: Decoder, sums: tf.Tensor[]): ReadonlyMap<string, tf.Tensor> {
  let parameters: ReadonlyMap<string, tf.Tensor> = new Map();
  tf.tidy(() => {
    parameters = model.effectiveParameters();
    for (const [name, tensor] of parameters) {
      if (tensor !== model.parameters.get(name)) sums.push(keepTensor(tensor));
    }
  });
  return parameters;
}

/**
 * What the head of a checkpoint is called in it: the embedding where the two are tied.
 *
 * @throws PupilError as loading would where names or shapes are not those of the configuration
 */
export function headTensorName(
  config: ModelConfig,
  tensors: ReadonlyMap<string, Shaped>,
  source: string,
): string {
  const { head } = decoderLayout(config);
  const { parameters } = matchTensors(config, tensors, source);
  return parameters.find(({ spec }) => spec.name === head.name)?.name as string;
}

/** Throws as loading would where names or shapes of a checkpoint are not those of the configuration. */
export function checkTensorNames(
  config: ModelConfig,
  tensors: ReadonlyMap<string, Shaped>,
  source: string,
): void {
  matchTensors(config, tensors, source);
}

interface Match {
  /** For every parameter the name of its tensor in the checkpoint. */
  readonly parameters: readonly { readonly spec: ParameterSpec; readonly name: string }[];
  /** A head that the checkpoint repeats although it is tied. */
  readonly tiedHead?: TiedHead;
}

/** Names in the checkpoint. */
interface TiedHead {
  readonly name: string;
  readonly embedding: string;
}

/** Finds the tensors of a configuration in a checkpoint; checks names and shapes. */
function matchTensors(
  config: ModelConfig,
  tensors: ReadonlyMap<string, Shaped>,
  source: string,
): Match {
  const layout = decoderLayout(config);
  const specs = parameterSpecs(layout);
  const nameOf = withBasePrefix(config, tensors);
  checkNames(config, new Set(specs.map(({ name }) => name)), nameOf, source);
  const parameters = specs.map((spec) => ({ spec, name: nameOf.get(spec.name) as string }));
  const misshapen = parameters.flatMap(({ spec, name }) => {
    const { shape } = tensors.get(name) as Shaped;
    const isRight = shape.join() === spec.shape.join();
    const expected = `expected [${spec.shape.join(", ")}]`;
    return isRight ? [] : [`${spec.name} [${shape.join(", ")}], ${expected}`];
  });
  if (misshapen.length > 0) {
    throw new PupilError(`Shapes do not match the configuration: ${enumerate(misshapen)}.`, {
      field: source,
      value: misshapen,
      remedy: "Use the config.json that belongs to these weights.",
    });
  }
  const head = nameOf.get(headName(config));
  if (!config.tieWordEmbeddings || head === undefined) return { parameters };
  const embedding = nameOf.get(layout.tokenEmbedding.name) as string;
  return { parameters, tiedHead: { name: head, embedding } };
}

/** The checkpoint's names by full name, without the architecture's constant buffers. */
function withBasePrefix(
  config: ModelConfig,
  tensors: ReadonlyMap<string, unknown>,
): Map<string, string> {
  const { names, huggingFace } = families[config.family] as Family;
  const isHead = (name: string) => name.startsWith(`${names.head}.`);
  const isBare = [...tensors.keys()].every((name) => !name.startsWith(names.basePrefix));
  const fullName = (name: string) => (isBare && !isHead(name) ? names.basePrefix + name : name);
  const kept = [...tensors.keys()].filter((name) => !huggingFace.bufferNames.test(name));
  return new Map(kept.map((name) => [fullName(name), name]));
}

function checkNames(
  config: ModelConfig,
  expected: ReadonlySet<string>,
  given: ReadonlyMap<string, unknown>,
  source: string,
): void {
  const tiedHead = config.tieWordEmbeddings ? headName(config) : undefined;
  const missing = [...expected].filter((name) => !given.has(name));
  const unexpected = [...given.keys()].filter((name) => !expected.has(name) && name !== tiedHead);
  if (missing.length === 0 && unexpected.length === 0) return;
  const problems = [
    ...(missing.length > 0 ? [`Missing tensors: ${enumerate(missing)}.`] : []),
    ...(unexpected.length > 0 ? [`Unexpected tensors: ${enumerate(unexpected)}.`] : []),
  ];
  throw new PupilError(problems.join(" "), {
    field: source,
    value: { missing, unexpected },
    remedy: `The configuration is a ${config.family} model of ${config.numLayers} layers; use the config.json that belongs to these weights.`,
  });
}

function headName(config: ModelConfig): string {
  return `${(families[config.family] as Family).names.head}.weight`;
}

/** A checkpoint with tied embeddings may repeat them as the head; another head would be lost. */
function checkTiedHead(
  names: TiedHead,
  head: Float32Array,
  embedding: Float32Array,
  source: string,
): void {
  const isSame =
    head.length === embedding.length && head.every((value, i) => Object.is(value, embedding[i]));
  if (isSame) return;
  throw new PupilError(
    `${names.name} differs from ${names.embedding}, which it should be tied to.`,
    {
      field: source,
      remedy: "Set tie_word_embeddings to false in config.json.",
    },
  );
}
