import * as tf from "@tensorflow/tfjs-core";
import { runLibrary } from "./library.js";

/**
 * tfjs-node's own reads all indices to JavaScript to check them, which waits for the GPU. TensorFlow
 * checks them itself on a CPU; on a GPU, a row that is not there is zeros.
 */
export function registerGather(): void {
  const at = { kernelName: "GatherV2", backendName: "tensorflow" };
  if (tf.getKernel(at.kernelName, at.backendName)) {
    tf.unregisterKernel(at.kernelName, at.backendName);
  }
  tf.registerKernel({
    ...at,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, indices } = inputs as { x: tf.TensorInfo; indices: tf.TensorInfo };
      const { axis = 0, batchDims = 0 } = attrs as { axis?: number; batchDims?: number };
      return runLibrary(backend, (library) => {
        const [values, ids, axes] = [
          library.input(x),
          library.input(indices),
          library.integers(tf.util.parseAxisParam(axis, x.shape)[0] as number),
        ];
        const attributes = [
          library.integer("batch_dims", batchDims),
          library.type("Tparams", values.dtype),
          library.type("Tindices", ids.dtype),
          library.type("Taxis", axes.dtype),
        ];
        return library.output(library.runWith("GatherV2", attributes, [values, ids, axes]));
      });
    },
  });
}
