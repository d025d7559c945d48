import type * as tf from "@tensorflow/tfjs-core";
import { isFloat, registerWasmKernel, sizeOf } from "../registry.js";

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

export function registerMatMul(): void {
  registerWasmKernel<{ a: tf.TensorInfo; b: tf.TensorInfo }, MatMulAttributes>(
    "BatchMatMul",
    ({ a, b }, { transposeA, transposeB }, backend) => {
      if (!isFloat(a, b)) return undefined;
      const [rowsA, colsA] = a.shape.slice(-2) as [number, number];
      const [rowsB, colsB] = b.shape.slice(-2) as [number, number];
      let m = transposeA ? colsA : rowsA;
      const k = transposeA ? rowsA : colsA;
      const n = transposeB ? rowsB : colsB;
      if (k !== (transposeB ? colsB : rowsB)) return undefined; // The JavaScript kernel says why.
      const outerA = a.shape.slice(0, -2);
      const outerB = b.shape.slice(0, -2);
      const batchA = sizeOf(outerA);
      const batchB = sizeOf(outerB);
      const outer = batchB === 1 && outerA.length >= outerB.length ? outerA : outerB;
      const single = batchA === 1 || batchB === 1;
      if (!single && outerA.join() !== outerB.join()) return undefined;
      if (batchA !== 1 && batchB === 1 && outer !== outerA) return undefined;
      const out = backend.newTensor([...outer, m, n], "float32");
      let batch = Math.max(batchA, batchB);
      if (batchA === 0 || batchB === 0) batch = 0;
      const flags = (transposeA ? 1 : 0) + (transposeB ? 2 : 0);
      const strideA = batchA === 1 ? 0 : m * k;
      const strideB = batchB === 1 ? 0 : n * k;
      if (batchB === 1 && !transposeA) {
        m *= batch;
        batch = 1;
      }
      const addresses = [backend.address(a), backend.address(b), backend.address(out)] as const;
      backend.engine.kernels.matmul(...addresses, 0, batch, m, n, k, flags, strideA, strideB);
      return out;
    },
  );
}
