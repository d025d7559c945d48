import * as tf from "@tensorflow/tfjs";
import { PupilError } from "../errors/index.js";
import { createVariable } from "../tensors/index.js";
import type { ModelConfig } from "./config.js";
import { Decoder } from "./decoder.js";
import { families, type Family } from "./families/index.js";
import { decoderLayout, parameterSpecs } from "./layout.js";
import type { TensorValues } from "./safetensors.js";
import type { LanguageModel } from "./types.js";

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
  const layout = decoderLayout(config);
  const specs = parameterSpecs(layout);
  const given = withBasePrefix(config, tensors);
  checkNames(config, new Set(specs.map(({ name }) => name)), given, source);

  const misshapen = specs.flatMap(({ name, shape }) => {
    const found = given.get(name)?.shape ?? [];
    const isRight = found.join() === shape.join();
    return isRight ? [] : [`${name} [${found.join(", ")}], expected [${shape.join(", ")}]`];
  });
  if (misshapen.length > 0) {
    throw new PupilError(`Shapes do not match the configuration: ${enumerate(misshapen)}.`, {
      field: source,
      value: misshapen,
      remedy: "Use the config.json that belongs to these weights.",
    });
  }
  checkTiedHead(config, given, source);
  const parameters = specs.map(({ name, shape }): [string, tf.Variable] => {
    const { data } = given.get(name) as TensorValues;
    return [name, createVariable(tf.tensor(data, [...shape], "float32"))];
  });
  return new Decoder(config, new Map(parameters));
}

/** The model's parameters on the host, in its order, for {@link encodeSafetensors}. */
export async function decoderToTensors(model: LanguageModel): Promise<Map<string, TensorValues>> {
  // All reads start together, so that they see the weights of one moment.
  const entries = [...model.parameters].map(
    async ([name, variable]): Promise<[string, TensorValues]> => {
      const { shape } = variable;
      // A copy: some backends hand out the memory that the variable lives in.
      return [name, { shape, data: Float32Array.from(await variable.data<"float32">()) }];
    },
  );
  return new Map(await Promise.all(entries));
}

/** The checkpoint's tensors under their full names, without the architecture's constant buffers. */
function withBasePrefix(
  config: ModelConfig,
  tensors: ReadonlyMap<string, TensorValues>,
): Map<string, TensorValues> {
  const { names, huggingFace } = families[config.family] as Family;
  const isHead = (name: string) => name.startsWith(`${names.head}.`);
  const isBare = [...tensors.keys()].every((name) => !name.startsWith(names.basePrefix));
  const fullName = (name: string) => (isBare && !isHead(name) ? names.basePrefix + name : name);
  return new Map(
    [...tensors]
      .filter(([name]) => !huggingFace.bufferNames.test(name))
      .map(([name, values]) => [fullName(name), values]),
  );
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
  config: ModelConfig,
  given: ReadonlyMap<string, TensorValues>,
  source: string,
): void {
  const head = given.get(headName(config));
  if (!config.tieWordEmbeddings || head === undefined) return;
  const name = decoderLayout(config).tokenEmbedding.name;
  const embedding = given.get(name) as TensorValues;
  const isSame =
    head.data.length === embedding.data.length &&
    head.data.every((value, i) => Object.is(value, embedding.data[i]));
  if (isSame) return;
  throw new PupilError(`${headName(config)} differs from ${name}, which it should be tied to.`, {
    field: source,
    remedy: "Set tie_word_embeddings to false in config.json.",
  });
}

/** The first names of a list, and how many more there are. */
function enumerate(items: readonly string[]): string {
  const shown = items.slice(0, 6).join(", ");
  return items.length > 6 ? `${shown} and ${items.length - 6} more` : shown;
}
