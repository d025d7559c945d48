import { PupilError } from "../../errors/index.js";
import type { OnnxSession, OnnxTensor, OnnxValueInfo } from "./session.js";

/** Tokens `[B, T]` on the host, row by row; the mask `[B, S]` covers `S − T` cached positions too. */
export interface TokenRows {
  readonly batch: number;
  readonly length: number;
  readonly ids: ArrayLike<number>;
  readonly mask: ArrayLike<number>;
  readonly positions: ArrayLike<number>;
  /** What the outputs called `present…` gave for the tokens before these, by the names of the inputs. */
  readonly past?: Readonly<Record<string, OnnxTensor>>;
}

type Feed = (info: OnnxValueInfo, rows: TokenRows) => OnnxTensor;

/** Inputs of decoders that are not caches, by name. */
const knownInputs: Readonly<Record<string, Feed>> = {
  input_ids: (info, { ids, batch, length }) => tensorOf(info, ids, [batch, length]),
  position_ids: (info, { positions, batch, length }) => tensorOf(info, positions, [batch, length]),
  attention_mask: (info, { mask, batch }) => tensorOf(info, mask, [batch, mask.length / batch]),
  use_cache_branch: (info, { past }) => tensorOf(info, [past === undefined ? 0 : 1], [1]),
  // 0 means all of them.
  num_logits_to_keep: (info) => tensorOf(info, [0], []),
};

const isCache = (name: string) => name.startsWith("past");

/** The input that takes what this output gave for earlier tokens; undefined where it is no cache. */
export function cacheInputOf(output: string, inputs: readonly OnnxValueInfo[]): string | undefined {
  if (!output.startsWith("present")) return undefined;
  const names = ["past_key_values", "past"].map((past) => output.replace("present", past));
  return names.find((name) => inputs.some((input) => input.name === name));
}

/**
 * What a decoder's session is to be fed, by the names and types of its inputs.
 *
 * @throws PupilError for inputs that a decoder of text does not have
 */
export function decoderFeeds(
  session: Pick<OnnxSession, "inputs">,
  rows: TokenRows,
): Record<string, OnnxTensor> {
  const batchName = session.inputs.find(({ name }) => name === "input_ids")?.shape[0];
  const entries = session.inputs.map((info): [string, OnnxTensor] => {
    const given = rows.past?.[info.name];
    if (given !== undefined) return [info.name, given];
    const known = knownInputs[info.name];
    if (known !== undefined) return [info.name, known(info, rows)];
    if (isCache(info.name)) return [info.name, emptyCache(info, batchName, rows.batch)];
    throw new PupilError(`The model wants the input "${info.name}", which text does not have.`, {
      field: "teacher",
      value: info.name,
      remedy: `A decoder's inputs are ${Object.keys(knownInputs).join(", ")} and past….`,
    });
  });
  return Object.fromEntries(entries);
}

/** A cache of no positions: named dimensions are the batch or a length. */
function emptyCache(info: OnnxValueInfo, batchName: unknown, batch: number): OnnxTensor {
  const dims = info.shape.map((size) => {
    if (typeof size === "number") return size;
    return size === batchName || /batch/i.test(size) ? batch : 0;
  });
  const size = dims.reduce((product, dim) => product * dim, 1);
  return tensorOf(info, new Uint8Array(size), dims);
}

/** How numbers of each type of input are stored; float16 only ever holds zeros here. */
const arrays: Readonly<Record<string, (values: ArrayLike<number>) => ArrayLike<number | bigint>>> =
  {
    int64: (values) => BigInt64Array.from(Array.from(values), (value) => BigInt(value)),
    int32: (values) => Int32Array.from(values),
    float32: (values) => Float32Array.from(values),
    float16: (values) => Uint16Array.from(values),
    bool: (values) => Uint8Array.from(values),
  };

function tensorOf(
  { name, type }: OnnxValueInfo,
  values: ArrayLike<number>,
  dims: readonly number[],
): OnnxTensor {
  const make = arrays[type];
  const isRight = isCache(name) ? type.startsWith("float") : type !== "float16";
  if (make !== undefined && isRight) return { type, dims, data: make(values) };
  throw new PupilError(`The model's input "${name}" has the type ${type}.`, {
    field: "teacher",
    value: type,
    remedy: "Tokens are int64 or int32 and caches float32 or float16: use another file or dtype.",
  });
}
