import type * as tf from "@tensorflow/tfjs-core";
import { isFloat, registerWasmKernel, rowsOf } from "../registry.js";

type Inputs = Record<"studentLogits" | "teacherLogits", tf.TensorInfo>;

export function registerStatistics(): void {
  registerWasmKernel<Inputs>(
    "PupilDistributionStatistics",
    ({ studentLogits, teacherLogits }, _attributes, backend) => {
      const { kernels } = backend.engine;
      if (!isFloat(studentLogits, teacherLogits)) return undefined;
      const { rows, width } = rowsOf(studentLogits);
      const out = backend.newTensor([rows, 6], "float32");
      const at = [backend.address(studentLogits), backend.address(teacherLogits)] as const;
      kernels.statistics(...at, backend.address(out), rows, width);
      return out;
    },
  );
}
