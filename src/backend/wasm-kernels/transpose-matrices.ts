import * as tf from "@tensorflow/tfjs";
import { heapFloats, type StockWasmBackend } from "./stock-backend.js";
import { transposeBlock } from "./transpose-block.js";

/** A new tensor with the last two axes exchanged. */
export function transposeMatrices(backend: StockWasmBackend, x: tf.TensorInfo): tf.TensorInfo {
  const [rows = 0, columns = 0] = x.shape.slice(-2);
  const outer = x.shape.slice(0, -2);
  const output = backend.makeOutput([...outer, columns, rows], "float32");
  const source = backend.dataIdMap.get(x.dataId).memoryOffset / 4;
  const target = backend.dataIdMap.get(output.dataId).memoryOffset / 4;
  const heap = heapFloats(backend);
  for (let block = 0; block < tf.util.sizeFromShape(outer); block++) {
    const offset = block * rows * columns;
    transposeBlock(heap, source + offset, rows, columns, target + offset);
  }
  return output;
}
