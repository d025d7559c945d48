import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../../../errors/index.js";
import { isFloat, registerWasmKernel, sizeOf, type WasmTensors } from "../registry.js";

/** Rows `ids` of a table `[V, ...]`; an id outside it is an error that names id and place. */
function gatherRows(
  table: tf.TensorInfo,
  ids: tf.TensorInfo,
  what: string,
  backend: WasmTensors,
): tf.TensorInfo {
  const { kernels } = backend.engine;
  const n = sizeOf(ids.shape);
  const size = table.shape[0] as number;
  const rest = table.shape.slice(1);
  const idAddress = backend.address(ids);
  const bad = kernels.findBadId(idAddress, n, size);
  if (bad >= 0) {
    const value = backend.valuesOf(ids)[bad];
    throw new PupilError(`${what} ${value} at position ${bad} is outside 0..${size - 1}.`, {
      value,
      remedy: "Ids must be smaller than the number of rows of the table.",
    });
  }
  const out = backend.newTensor([...ids.shape, ...rest], "float32");
  kernels.gatherRows(backend.address(table), idAddress, backend.address(out), n, sizeOf(rest));
  return out;
}

export function registerEmbedding(): void {
  registerWasmKernel<
    { x: tf.TensorInfo; indices: tf.TensorInfo },
    { axis: number; batchDims?: number }
  >("GatherV2", ({ x, indices }, { axis, batchDims = 0 }, backend) => {
    const along = tf.util.parseAxisParam(axis, x.shape)[0];
    const simple = along === 0 && batchDims === 0 && indices.dtype === "int32";
    if (!isFloat(x) || !simple) return undefined;
    return gatherRows(x, indices, "gather: the index", backend);
  });
  registerWasmKernel<{ x: tf.TensorInfo; segmentIds: tf.TensorInfo }, { numSegments: number }>(
    "UnsortedSegmentSum",
    ({ x, segmentIds }, { numSegments }, backend) => {
      const { kernels } = backend.engine;
      if (!isFloat(x) || segmentIds.dtype !== "int32" || segmentIds.shape.length !== 1) {
        return undefined;
      }
      const ids = backend.address(segmentIds);
      const n = sizeOf(segmentIds.shape);
      if (kernels.findBadId(ids, n, numSegments) >= 0) return undefined;
      const rest = x.shape.slice(1);
      const out = backend.newTensor([numSegments, ...rest], "float32");
      const addresses = [backend.address(x), ids, backend.address(out)] as const;
      kernels.scatterAddRows(...addresses, n, sizeOf(rest), numSegments);
      return out;
    },
  );
  registerWasmKernel<{ weight: tf.TensorInfo; ids: tf.TensorInfo }>(
    "PupilEmbedding",
    ({ weight, ids }, _, backend) =>
      ids.dtype === "int32" ? gatherRows(weight, ids, "embedding: the id", backend) : undefined,
  );
  registerWasmKernel<{ dy: tf.TensorInfo; ids: tf.TensorInfo }, { vocabularySize: number }>(
    "PupilEmbeddingGrad",
    ({ dy, ids }, { vocabularySize }, backend) => {
      if (ids.dtype !== "int32") return undefined;
      const width = dy.shape[dy.shape.length - 1] as number;
      const out = backend.newTensor([vocabularySize, width], "float32");
      const addresses = [dy, ids, out].map((t) => backend.address(t)) as [number, number, number];
      const n = sizeOf(ids.shape);
      backend.engine.kernels.scatterAddRows(...addresses, n, width, vocabularySize);
      return out;
    },
  );
}
