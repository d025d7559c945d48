import { PupilError } from "../../errors/index.js";
import { fromFloat16 } from "../../models/index.js";
import { cacheInputOf, decoderFeeds, type TokenRows } from "./decoder-feeds.js";
import type { OnnxSession, OnnxTensor } from "./session.js";

/** Logits on the host, `[B, T, V]` row by row. */
export interface HostLogits {
  readonly values: Float32Array;
  readonly length: number;
}

/** A session that is known to be a decoder of text. Owns it. */
export interface OnnxDecoder {
  readonly vocabSize: number;
  /** Whether it gives keys and values to go on from. */
  readonly hasCache: boolean;
  logits(rows: TokenRows): Promise<HostLogits>;
  /** The same, and the cache for the next tokens. */
  step(rows: TokenRows): Promise<HostLogits & { readonly past: NonNullable<TokenRows["past"]> }>;
  dispose(): void;
}

/**
 * Tries a session on one token.
 *
 * @param name how errors call the model
 * @throws PupilError if it is no decoder with logits, wants other inputs, or fails
 */
export async function openOnnxDecoder(session: OnnxSession, name: string): Promise<OnnxDecoder> {
  checkOutputs(session, name);
  const caches = session.outputs.flatMap((output) => {
    const input = cacheInputOf(output.name, session.inputs);
    return input === undefined ? [] : [{ output: output.name, input }];
  });
  const run = async (rows: TokenRows, wanted: readonly string[]) => {
    const outputs = await session.run(decoderFeeds(session, rows), ["logits", ...wanted]);
    return { outputs, logits: hostLogits(outputs["logits"] as OnnxTensor, rows, name) };
  };
  const logits = async (rows: TokenRows) => (await run(rows, [])).logits;
  const probe = { batch: 1, length: 1, ids: [0], mask: [1], positions: [0] };
  const { values } = await logits(probe);
  return {
    vocabSize: values.length,
    hasCache: caches.length > 0,
    logits,
    step: async (rows) => {
      const names = caches.map(({ output }) => output);
      const { outputs, logits: found } = await run(rows, names);
      const past = caches.map(({ output, input }) => [input, outputs[output] as OnnxTensor]);
      return { ...found, past: Object.fromEntries(past) };
    },
    dispose: () => session.release(),
  };
}

/**
 * A decoder with another number of rows of logits, as `withVocabulary` makes of a model: rows beyond
 * are left out, absent ones lie 20 below the least of their position.
 */
export function withRows(decoder: OnnxDecoder, vocabSize: number): OnnxDecoder {
  const rows = decoder.vocabSize;
  if (rows === vocabSize) return decoder;
  const fit = (values: Float32Array): Float32Array => {
    const count = values.length / rows;
    const fitted = new Float32Array(count * vocabSize);
    for (let i = 0; i < count; i++) {
      const row = values.subarray(i * rows, (i + 1) * rows);
      if (rows < vocabSize) {
        const least = row.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
        fitted.fill(least - 20, i * vocabSize + rows, (i + 1) * vocabSize);
      }
      fitted.set(row.subarray(0, vocabSize), i * vocabSize);
    }
    return fitted;
  };
  return {
    ...decoder,
    vocabSize,
    logits: async (given) => {
      const found = await decoder.logits(given);
      return { ...found, values: fit(found.values) };
    },
    step: async (given) => {
      const found = await decoder.step(given);
      return { ...found, values: fit(found.values) };
    },
  };
}

function checkOutputs({ inputs, outputs }: OnnxSession, name: string): void {
  const names = outputs.map((output) => output.name);
  if (!inputs.some((input) => input.name === "input_ids")) {
    throw new PupilError("The model does not read tokens: it has no input_ids.", {
      field: name,
      remedy: `Its inputs are ${inputs.map((input) => input.name).join(", ")}.`,
    });
  }
  if (names.includes("logits")) return;
  throw new PupilError("The model gives no logits, so it is no teacher of tokens.", {
    field: name,
    value: names,
    remedy: `Its outputs are ${names.join(", ")}: use a causal language model with its head.`,
  });
}

function hostLogits({ type, dims, data }: OnnxTensor, rows: TokenRows, name: string): HostLogits {
  const [batch, length, vocabSize] = dims;
  if (dims.length !== 3 || batch !== rows.batch || length !== rows.length || !vocabSize) {
    const expected = `[${rows.batch}, ${rows.length}, vocabulary]`;
    throw new PupilError(`The model's logits are [${dims.join(", ")}], expected ${expected}.`, {
      field: name,
      remedy: "Use an export of a causal language model that keeps the logits of every token.",
    });
  }
  return { values: toFloat32(type, data as ArrayLike<number>, name), length };
}

function toFloat32(type: string, data: ArrayLike<number>, name: string): Float32Array {
  if (data instanceof Float32Array) return data;
  // Where there is no Float16Array, the bits.
  if (data instanceof Uint16Array) return Float32Array.from(data, fromFloat16);
  if (type.startsWith("float")) return Float32Array.from(data);
  throw new PupilError(`The model's logits have the type ${type}.`, { field: name });
}
