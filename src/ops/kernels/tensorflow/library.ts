import type * as tf from "@tensorflow/tfjs-core";

/** A tensor of libtensorflow, as the binding describes it. */
interface Output {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

interface Attribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** The package's compiled half. Names in capitals are numbers of TensorFlow's C interface. */
interface Binding {
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_TYPE: number;
  createTensor(shape: number[], dtype: number, values: Float32Array | Int32Array): number;
  deleteTensor(id: number): void;
  executeOp(name: string, attributes: Attribute[], inputs: number[], outputs: number): Output[];
}

/** What we use of the backend of `@tensorflow/tfjs-node`. */
export interface TensorflowBackend {
  readonly binding: Binding;
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  createOutputTensor(output: Output): tf.Tensor;
  getDTypeInteger(dtype: tf.DataType): number;
}

/** A tensor inside of {@link runLibrary}: what it is freed and passed on by. */
export type Handle = Output;

/** TensorFlow's ops by their own names, without a tensor of tfjs for what lies between. */
export class Library {
  readonly #backend: TensorflowBackend;
  readonly #made = new Map<number, Output>();

  constructor(backend: TensorflowBackend) {
    this.#backend = backend;
  }

  input(tensor: tf.TensorInfo): Handle {
    const [id] = this.#backend.getInputTensorIds([tensor]) as [number];
    return { id, shape: tensor.shape, dtype: this.#backend.getDTypeInteger(tensor.dtype) };
  }

  scalar(value: number): Handle {
    return this.#create([], this.#backend.binding.TF_FLOAT, Float32Array.of(value));
  }

  /** Whole numbers, as ops take axes and shapes. */
  integers(values: number | readonly number[]): Handle {
    const shape = typeof values === "number" ? [] : [values.length];
    const list = Int32Array.from(typeof values === "number" ? [values] : values);
    return this.#create(shape, this.#backend.binding.TF_INT32, list);
  }

  /** The one output of an op of element type `T`, that of its first input. */
  run(name: string, ...inputs: readonly [Handle, ...Handle[]]): Handle {
    return this.runWith(name, [this.type("T", inputs[0].dtype)], inputs);
  }

  runWith(name: string, attributes: Attribute[], inputs: readonly Handle[]): Handle {
    const ids = inputs.map(({ id }) => id);
    const [output] = this.#backend.binding.executeOp(name, attributes, ids, 1) as [Output];
    this.#made.set(output.id, output);
    return output;
  }

  type(name: string, value: number): Attribute {
    return { name, type: this.#backend.binding.TF_ATTR_TYPE, value };
  }

  integer(name: string, value: number): Attribute {
    return { name, type: this.#backend.binding.TF_ATTR_INT, value };
  }

  /** Makes a tensor of tfjs of what an op made. */
  output(handle: Handle): tf.Tensor {
    this.#made.delete(handle.id);
    return this.#backend.createOutputTensor(handle);
  }

  /** Frees what has been made since `since` and is not an output. */
  free(since = 0): void {
    const ids = [...this.#made.keys()].slice(since);
    for (const id of ids) {
      this.#made.delete(id);
      this.#backend.binding.deleteTensor(id);
    }
  }

  /** How much is waiting to be freed. */
  get size(): number {
    return this.#made.size;
  }

  #create(shape: number[], dtype: number, values: Float32Array | Int32Array): Handle {
    const id = this.#backend.binding.createTensor(shape, dtype, values);
    const handle = { id, shape, dtype };
    this.#made.set(id, handle);
    return handle;
  }
}

/** Calls `compute`, then frees all it has made but its outputs. */
export function runLibrary<T>(backend: unknown, compute: (library: Library) => T): T {
  const library = new Library(backend as TensorflowBackend);
  try {
    return compute(library);
  } finally {
    library.free();
  }
}
