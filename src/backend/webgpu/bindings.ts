import { PupilError } from "../../errors/index.js";
import type { MergedArray } from "./array-places.js";
import type { BufferPool } from "./buffer-pool.js";
import { sizeInWords } from "./sizes.js";

const mostBindGroups = 2 ** 15;

/** What goes into an array of a shader. */
export interface Bound {
  readonly binding: GPUBufferBinding;
  readonly key: string;
}

/** The bind groups that were made, by what is bound. */
export class Bindings {
  private readonly device: GPUDevice;
  private readonly pool: BufferPool;
  private readonly groups = new Map<string, GPUBindGroup>();

  constructor(device: GPUDevice, pool: BufferPool) {
    this.device = device;
    this.pool = pool;
  }

  wholeOf(buffer: GPUBuffer): Bound {
    return { binding: { buffer }, key: String(this.pool.idOf(buffer)) };
  }

  /** @throws PupilError for more than the device binds, `most` bytes */
  partOf(buffer: GPUBuffer, offset: number, size: number, most: number): Bound {
    if (size > most) throw tooLarge(size, most);
    return {
      binding: { buffer, offset, size },
      key: `${this.pool.idOf(buffer)}+${offset}+${size}`,
    };
  }

  /** @throws PupilError for more than the device binds, `most` bytes */
  arrayOf({ buffer, range }: MergedArray, most: number): Bound {
    return range ? this.partOf(buffer, range.from, range.size, most) : this.wholeOf(buffer);
  }

  /** An array of a shader of ours: in one piece, or in several of `most` bytes, of which a binding may begin at each. */
  piecesOf(array: MergedArray, most: number): Bound[] {
    const { buffer, range } = array;
    if (range === undefined || range.size <= most) return [this.arrayOf(array, most)];
    const { from, size } = range;
    const piece = pieceBytes(most);
    return Array.from({ length: Math.ceil(size / piece) }, (_, i) => {
      return this.partOf(buffer, from + i * piece, Math.min(piece, size - i * piece), most);
    });
  }

  /** @param key says all of the other arguments */
  group(
    key: string,
    layout: GPUBindGroupLayout,
    bindings: readonly GPUBufferBinding[],
  ): GPUBindGroup {
    const known = this.groups.get(key);
    if (known !== undefined) return known;
    if (this.groups.size >= mostBindGroups) this.groups.clear();
    const entries = bindings.map((resource, binding) => ({ binding, resource }));
    const group = this.device.createBindGroup({ layout, entries });
    this.groups.set(key, group);
    return group;
  }

  clear(): void {
    this.groups.clear();
  }
}

/** Of the pieces of an array that is larger than `most`: bindings begin at multiples of 256 bytes. */
export const pieceBytes = (most: number): number => 256 * Math.floor(most / 256);

export function tooLarge(bytes: number, most: number): PupilError {
  return new PupilError(
    `A tensor of ${sizeInWords(bytes)} is more than this GPU's shaders may use at a time, ${sizeInWords(most)}.`,
    {
      remedy: "Use smaller micro-batches (trainer.gradientAccumulationSteps) or shorter sequences.",
    },
  );
}
