import * as tf from "@tensorflow/tfjs-core";
import { type AheadSettings, writeCache } from "../../ops/index.js";
import { disposeAll, keepTensor, recorded, type RecordedCall } from "../../tensors/index.js";
import type { AheadInputs, KeyValueCache, ModelInputs } from "./types.js";

/** Keys and values of one layer, `[B, S, Hkv, hd]`. */
export interface LayerEntry {
  readonly key: tf.Tensor4D;
  readonly value: tf.Tensor4D;
}

/** A cache that grows by concatenation: every append copies what the layer already holds. */
export class ConcatenatingCache implements KeyValueCache {
  private readonly layers: LayerEntry[] = [];

  get length(): number {
    // Layers are filled in order, so the last one says which positions are complete.
    return this.layers.at(-1)?.key.shape[1] ?? 0;
  }

  append(layer: number, key: tf.Tensor4D, value: tf.Tensor4D): LayerEntry {
    const old = this.layers[layer];
    const entry = tf.tidy(() => ({
      key: keepTensor(old ? tf.concat([old.key, key], 1) : key.clone()),
      value: keepTensor(old ? tf.concat([old.value, value], 1) : value.clone()),
    }));
    disposeAll([old?.key, old?.value]);
    this.layers[layer] = entry;
    return entry;
  }

  dispose(): void {
    for (const { key, value } of this.layers) disposeAll([key, value]);
    this.layers.length = 0;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Caches by layer, `[B, capacity, Hkv, hd]`, and how many positions are in them. */
export interface CacheBuffers {
  readonly keys: readonly tf.Tensor4D[];
  readonly values: readonly tf.Tensor4D[];
  readonly length: number;
}

/** Logits `[B, 1, V]` of one more token per row, whose keys and values it adds to the buffers. */
export interface TokenDecoder extends Disposable {
  /** What it reads that is its own. */
  readonly packed: readonly tf.Tensor[];
  decode(inputs: ModelInputs, buffers: CacheBuffers): tf.Tensor3D;
  /** As of {@link KeyValueCache.sampleAhead}; the buffers have room for all that is fed. */
  sample(
    inputs: AheadInputs,
    buffers: CacheBuffers,
    settings: AheadSettings,
    logits?: tf.Tensor3D,
  ): tf.Tensor3D | undefined;
}

/** Positions that a cache has room for at first, unless it is told how many will come. */
const defaultCapacity = 128;

/**
 * A cache in buffers that are written in place, for backends that can; there, a decoder that computes
 * a token in one go reads and writes the same buffers. Grows by half when it is full.
 */
export class BufferedCache implements KeyValueCache {
  private readonly keys: tf.Tensor4D[] = [];
  private readonly values: tf.Tensor4D[] = [];
  private readonly lengths: number[] = [];
  private readonly numLayers: number;
  private capacity: number;
  private readonly makeDecoder: () => TokenDecoder;
  private decoder: TokenDecoder | undefined;

  /** `makeDecoder` is called when the first single token comes. */
  constructor(numLayers: number, makeDecoder: () => TokenDecoder, capacity = defaultCapacity) {
    this.numLayers = numLayers;
    this.capacity = capacity;
    this.makeDecoder = makeDecoder;
  }

  get length(): number {
    return this.lengths[this.numLayers - 1] ?? 0;
  }

  append(layer: number, key: tf.Tensor4D, value: tf.Tensor4D): LayerEntry {
    const [B, T, heads, headDim] = key.shape;
    const length = this.lengths[layer] ?? 0;
    const total = length + T;
    this.reserve(total);
    if (this.keys.length === layer) {
      const shape: [number, number, number, number] = [B, this.capacity, heads, headDim];
      // Unlike `zeros`, `fill` is a kernel: no array of JavaScript is made and copied.
      this.keys.push(keepTensor(tf.fill(shape, 0)));
      this.values.push(keepTensor(tf.fill(shape, 0)));
    }
    const buffers = [this.keys[layer], this.values[layer]] as [tf.Tensor4D, tf.Tensor4D];
    writeCache(buffers[0], key, length);
    writeCache(buffers[1], value, length);
    this.lengths[layer] = total;
    if (length === 0) return { key, value };
    const [allKeys, allValues] = buffers.map((t) => t.slice([0, 0, 0, 0], [-1, total, -1, -1]));
    return { key: allKeys, value: allValues } as LayerEntry;
  }

  decodeToken(inputs: ModelInputs): tf.Tensor3D {
    const { keys, values, length } = this;
    this.reserve(length + 1);
    this.decoder ??= this.makeDecoder();
    const logits = this.decoder.decode(inputs, { keys, values, length });
    this.lengths.fill(length + 1);
    return logits;
  }

  sampleAhead(
    inputs: AheadInputs,
    settings: AheadSettings,
    logits?: tf.Tensor3D,
  ): tf.Tensor3D | undefined {
    const { keys, values, length } = this;
    const total = length + settings.steps - (logits ? 1 : 0);
    this.reserve(total);
    this.decoder ??= this.makeDecoder();
    const sampled = this.decoder.sample(inputs, { keys, values, length }, settings, logits);
    if (sampled !== undefined) this.lengths.fill(total);
    return sampled;
  }

  /** See {@link KeyValueCache.sampleRecorded}. */
  sampleRecorded(
    sampling: () => RecordedCall,
    positions: number,
    sample: () => tf.Tensor3D | undefined,
  ): tf.Tensor3D | undefined {
    const isNew = this.length === 0;
    const callOf = () => {
      this.reserve(positions);
      this.decoder ??= this.makeDecoder();
      const own = [...this.decoder.packed, ...this.keys, ...this.values];
      const { key, reads, ...call } = sampling();
      return {
        ...call,
        key: `${key}, ${this.length} of ${this.capacity} cached`,
        reads: [...reads, ...own],
      };
    };
    const { tensors, facts } = recorded(callOf, () => {
      const sampled = tf.tidy(sample);
      // Buffers that were there before are changed in place.
      const buffers = isNew ? this.named() : {};
      return { tensors: { ...(sampled && { sampled }), ...buffers }, facts: this.length };
    });
    if (isNew) this.adopt(tensors);
    for (let layer = 0; layer < this.numLayers; layer++) this.lengths[layer] = facts;
    return tensors["sampled"] as tf.Tensor3D | undefined;
  }

  private named(): Record<string, tf.Tensor> {
    const all = [...this.keys, ...this.values];
    return Object.fromEntries(all.map((tensor, i) => [`buffer ${i}`, tensor]));
  }

  /** @param named as of {@link named}, maybe the same */
  private adopt(named: Readonly<Record<string, tf.Tensor>>): void {
    for (const [i, buffers] of [this.keys, this.values].entries()) {
      for (let layer = 0; layer < this.numLayers; layer++) {
        const tensor = named[`buffer ${i * this.numLayers + layer}`] as tf.Tensor4D;
        buffers[layer] = keepTensor(tensor);
      }
    }
  }

  private reserve(positions: number): void {
    if (positions <= this.capacity) return;
    this.capacity = Math.max(positions, Math.ceil(1.5 * this.capacity));
    for (const buffers of [this.keys, this.values]) {
      for (const [layer, old] of buffers.entries()) {
        const missing = this.capacity - old.shape[1];
        buffers[layer] = keepTensor(
          tf.tidy(() =>
            old.pad([
              [0, 0],
              [0, missing],
              [0, 0],
              [0, 0],
            ]),
          ),
        );
        old.dispose();
      }
    }
  }

  dispose(): void {
    disposeAll([...this.keys, ...this.values]);
    this.keys.length = 0;
    this.values.length = 0;
    this.lengths.length = 0;
    this.decoder?.[Symbol.dispose]();
    this.decoder = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
