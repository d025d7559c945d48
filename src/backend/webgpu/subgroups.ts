import * as tf from "@tensorflow/tfjs-core";
import {
  type GpuTensors,
  reducedRows,
  reducesRight,
  setSubgroups,
  valuesToReduce,
} from "../../ops/index.js";
import { readValues } from "../../tensors/index.js";

/**
 * Whether rows are reduced by subgroup operations from now on, on the current backend's device.
 *
 * @throws Error if they are wanted and the device has none, or reduces some rows wrongly with them
 */
export async function takeSubgroups(device: GPUDevice, wanted: boolean): Promise<void> {
  setSubgroups(false);
  if (!wanted) return;
  const asked = "which PUPIL_WEBGPU_SUBGROUPS=1 (subgroups: true) asks for";
  if (!device.features.has("subgroups")) {
    throw new Error(`the GPU has no subgroup operations, ${asked}`);
  }
  setSubgroups(true);
  const values = valuesToReduce();
  const info = reducedRows(tf.backend() as unknown as GpuTensors, values);
  const reduced = tf.engine().makeTensorFromTensorInfo(info);
  if (reducesRight(values, await readValues(reduced, "float32"))) return;
  setSubgroups(false);
  throw new Error(`the GPU's subgroup operations, ${asked}, reduce rows wrongly`);
}
