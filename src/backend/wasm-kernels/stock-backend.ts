import type * as tf from "@tensorflow/tfjs";

/** What these kernels use of the stock wasm backend: its heap and its C functions. */
export interface StockWasmBackend {
  readonly wasm: {
    readonly HEAPU8: Uint8Array;
    _malloc(numBytes: number): number;
    _free(address: number): void;
    stackSave(): number;
    stackAlloc(numBytes: number): number;
    stackRestore(top: number): void;
    /** XNNPACK for one untransposed block, a plain loop for everything else. */
    _BatchMatMul(
      aId: number,
      aShape: number,
      aRank: number,
      bId: number,
      bShape: number,
      bRank: number,
      transposeA: boolean,
      transposeB: boolean,
      outputId: number,
    ): void;
    readonly tfjs: {
      /** Gives the C side an address for an id; sizes are in elements. */
      registerTensor(id: number, size: number, address: number): void;
      /** Forgets an id, with the operators that XNNPACK packed for it. Frees no tensor memory. */
      disposeData(id: number): void;
    };
  };
  dataIdNextNumber: number;
  readonly dataIdMap: { get(dataId: object): { id: number; memoryOffset: number } };
  makeOutput(
    shape: number[],
    dtype: tf.DataType,
    address?: number,
    values?: tf.backend_util.BackendValues,
  ): tf.TensorInfo;
  readSync(dataId: object): tf.backend_util.BackendValues;
  typedArrayFromHeap(info: tf.TensorInfo): Float32Array | Int32Array;
  disposeData(dataId: object): boolean;
}

/** The heap as floats. Not to be kept: growth of the heap makes a view useless. */
export function heapFloats(backend: StockWasmBackend): Float32Array {
  return new Float32Array(backend.wasm.HEAPU8.buffer);
}

/** Runs `use` with a scratch block of the heap, given as a byte address. */
export function withScratch(
  backend: StockWasmBackend,
  numFloats: number,
  use: (address: number) => void,
): void {
  if (numFloats === 0) {
    use(0);
    return;
  }
  const address = backend.wasm._malloc(numFloats * 4) >>> 0;
  if (address === 0) {
    throw new Error(`The wasm heap has no room for ${numFloats * 4} bytes of scratch memory.`);
  }
  try {
    use(address);
  } finally {
    backend.wasm._free(address);
  }
}
