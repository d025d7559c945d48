import type * as tf from "@tensorflow/tfjs-core";
import { oneOf, PupilError } from "../../errors/index.js";
import { disposeAll } from "../../tensors/index.js";
import type { Adapter, LoraLayer } from "./adapter.js";

/** Which adapter a forward pass adds, layer by layer. */
export interface AdapterChoice {
  /** What is added to a projection, by the name of its weight. */
  layerOf(weight: string): LoraLayer | undefined;
  /** The matrices of all that is added. */
  readonly tensors: readonly tf.Tensor[];
}

/** An adapter that is part of the weights, and the weights without it. */
interface Merged {
  readonly adapter: Adapter;
  readonly originals: ReadonlyMap<string, tf.Tensor>;
}

/** The adapters of one model, of which at most one is active. Owns them. */
export class AdapterSet implements AdapterChoice, Disposable {
  private readonly byName = new Map<string, Adapter>();
  private activeAdapter: Adapter | undefined;
  private mergedAdapter: Merged | undefined;

  get names(): readonly string[] {
    return [...this.byName.keys()];
  }

  /** The one that the model computes with, and that training changes. */
  get active(): Adapter | undefined {
    return this.activeAdapter;
  }

  /** The one that is part of the weights now. */
  get merged(): Adapter | undefined {
    return this.mergedAdapter?.adapter;
  }

  has(name: string): boolean {
    return this.byName.has(name);
  }

  /** @throws PupilError for a name that none of them has */
  get(name: string): Adapter {
    const adapter = this.byName.get(name);
    if (adapter !== undefined) return adapter;
    const remedy = this.byName.size === 0 ? "It has none; add one." : oneOf(name, this.names);
    throw new PupilError(`The model has no adapter "${name}".`, { value: name, remedy });
  }

  /** Takes ownership of the adapter. @throws PupilError if its name is taken */
  add(adapter: Adapter): void {
    this.requireUnused(adapter.name);
    this.byName.set(adapter.name, adapter);
  }

  /** @throws PupilError for a name that one of them has, or that PEFT could not save */
  requireUnused(name: string): void {
    if (!/^[\w-]+$/.test(name)) {
      throw new PupilError(`"${name}" is no name for an adapter.`, {
        value: name,
        remedy: "Use letters, digits, dashes and underscores.",
      });
    }
    if (!this.byName.has(name)) return;
    throw new PupilError(`The model has an adapter "${name}" already.`, {
      value: name,
      remedy: "Choose another name, or remove that one first (removeAdapter).",
    });
  }

  /** @throws PupilError while an adapter is merged */
  activate(name: string | undefined): void {
    const adapter = name === undefined ? undefined : this.get(name);
    if (adapter !== this.merged) this.requireUnmerged("switched");
    this.activeAdapter = adapter;
  }

  /** Releases an adapter; one that is merged stays part of the weights. */
  remove(name: string): void {
    const adapter = this.get(name);
    if (this.merged === adapter) {
      disposeAll(this.mergedAdapter?.originals.values() ?? []);
      this.mergedAdapter = undefined;
    }
    if (this.activeAdapter === adapter) this.activeAdapter = undefined;
    this.byName.delete(name);
    adapter.dispose();
  }

  /** Notes that an adapter is part of the weights; takes ownership of what they were. */
  setMerged(adapter: Adapter, originals: ReadonlyMap<string, tf.Tensor>): void {
    this.mergedAdapter = { adapter, originals };
  }

  /** Notes that none is; what the weights were is the caller's. */
  takeOriginals(): ReadonlyMap<string, tf.Tensor> {
    const { originals } = this.mergedAdapter ?? {};
    this.mergedAdapter = undefined;
    return originals ?? new Map();
  }

  /** @throws PupilError if an adapter is part of the weights, which keeps others from being used */
  requireUnmerged(what: string): void {
    if (this.merged === undefined) return;
    throw new PupilError(
      `Adapters cannot be ${what} while "${this.merged.name}" is merged into the weights.`,
      { remedy: "Call unmergeAdapter first, or removeAdapter to keep it in the weights." },
    );
  }

  layerOf(weight: string): LoraLayer | undefined {
    return this.merged === undefined ? this.activeAdapter?.layers.get(weight) : undefined;
  }

  get tensors(): readonly tf.Tensor[] {
    return this.merged === undefined ? [...(this.activeAdapter?.parameters.values() ?? [])] : [];
  }

  /** Always this adapter or none, whichever is active. */
  fixedAt(name: string | undefined): AdapterChoice {
    const adapter = name === undefined ? undefined : this.get(name);
    return {
      layerOf: (weight) => {
        this.requireUnmerged("told apart");
        return adapter?.layers.get(weight);
      },
      tensors: [...(adapter?.parameters.values() ?? [])],
    };
  }

  dispose(): void {
    disposeAll([...this.takeOriginals().values(), ...this.byName.values()]);
    this.byName.clear();
    this.activeAdapter = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
