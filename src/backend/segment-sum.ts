import * as tf from "@tensorflow/tfjs-core";

type Values = Float32Array | Int32Array;

/**
 * Adds rows to segments: `output[segmentIds[i]] += values[i]`, rows of `width` elements. Linear in
 * the input and always in its order, so the same input gives the same bits. Rows whose id is not a
 * segment are left out, as tfjs does.
 */
export function addSegments(
  output: Values,
  values: ArrayLike<number>,
  segmentIds: ArrayLike<number>,
  width: number,
): void {
  const numSegments = width === 0 ? 0 : output.length / width;
  for (let row = 0; row < segmentIds.length; row++) {
    const segment = segmentIds[row] as number;
    if (segment < 0 || segment >= numSegments) continue;
    let target = segment * width;
    const end = (row + 1) * width;
    for (let source = row * width; source < end; source++) {
      output[target] = (output[target] as number) + (values[source] as number);
      target++;
    }
  }
}

/** How a backend's kernels see and make values. */
export interface KernelMemory<B> {
  read(info: tf.TensorInfo, backend: B): ArrayLike<number>;
  write(values: Values, shape: number[], dtype: "float32" | "int32", backend: B): tf.TensorInfo;
}

/** Makes {@link addSegments} the backend's `UnsortedSegmentSum`, the gradient of `gather`. */
export function registerSegmentSum<B>(backendName: string, memory: KernelMemory<B>): void {
  const kernelName = "UnsortedSegmentSum";
  if (tf.getKernel(kernelName, backendName)) tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, segmentIds } = inputs as { x: tf.TensorInfo; segmentIds: tf.TensorInfo };
      const { numSegments } = attrs as unknown as { numSegments: number };
      const rowShape = x.shape.slice(segmentIds.shape.length);
      const width = rowShape.reduce((size, length) => size * length, 1);
      const dtype = x.dtype === "float32" ? "float32" : "int32";
      const length = numSegments * width;
      const output = dtype === "float32" ? new Float32Array(length) : new Int32Array(length);
      const own = backend as B;
      addSegments(output, memory.read(x, own), memory.read(segmentIds, own), width);
      return memory.write(output, [numSegments, ...rowShape], dtype, own);
    },
  });
}
