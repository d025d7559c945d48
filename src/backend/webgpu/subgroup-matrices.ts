import * as tf from "@tensorflow/tfjs-core";
import {
  checkedProducts,
  type GpuTensors,
  matrixBlock,
  type MatrixShape,
  setSubgroupMatrices,
} from "../../ops/index.js";
import { readValues } from "../../tensors/index.js";

/** What WebGPU's types do not know yet of an adapter. */
export interface SubgroupInfo {
  readonly subgroupMaxSize?: number;
  readonly subgroupMatrixConfigs?: Iterable<{
    readonly componentType: string;
    readonly resultComponentType: string;
    readonly M: number;
    readonly N: number;
    readonly K: number;
  }>;
}

/**
 * The subgroup matrices that products are by: with sums of f32, and with operands of f32 if there are any, else of f16.
 *
 * @throws Error if an adapter has none that fit the tiles of the products
 */
export function matricesOf({ subgroupMaxSize = 0, subgroupMatrixConfigs = [] }: SubgroupInfo) {
  const configs = [...subgroupMatrixConfigs];
  const shapes = (["f32", "f16"] as const).flatMap((component) =>
    configs
      .filter((one) => one.componentType === component && one.resultComponentType === "f32")
      .map(({ M, N, K }): MatrixShape => ({ component, M, N, K, lanes: subgroupMaxSize })),
  );
  if (shapes.length === 0) {
    const offered = configs.map(
      (one) => `${one.componentType} to ${one.resultComponentType} ${one.M}x${one.N}x${one.K}`,
    );
    const others = offered.length > 0 ? `, only ${offered.join(", ")}` : "";
    throw new Error(`with sums of f32 it has none${others}`);
  }
  const problems: string[] = [];
  for (const shape of shapes) {
    try {
      matrixBlock(shape);
      return shape;
    } catch (error) {
      problems.push((error as Error).message);
    }
  }
  throw new Error(problems.join("; "));
}

/**
 * Whether large products are by subgroup matrices from now on, on the current backend's device.
 *
 * @throws Error if they are wanted and the device has none that can be used, or multiplies whole numbers wrongly with them
 */
export async function takeSubgroupMatrices(
  device: GPUDevice,
  info: SubgroupInfo,
  wanted: boolean,
): Promise<void> {
  setSubgroupMatrices();
  if (!wanted) return;
  const asked = "which PUPIL_WEBGPU_SUBGROUP_MATRICES=1 (subgroupMatrices: true) asks for";
  if (!device.features.has("chromium-experimental-subgroup-matrix")) {
    throw new Error(
      `the GPU offers no subgroup matrices, ${asked}: they are an experimental extension, which a browser offers ` +
        "with --enable-unsafe-webgpu, and a device that is running already if it was started with them",
    );
  }
  let shape: MatrixShape;
  try {
    shape = matricesOf(info);
  } catch (error) {
    throw new Error(
      `no subgroup matrices of the GPU, ${asked}, can be used: ${(error as Error).message}`,
    );
  }
  if (shape.component === "f16" && !device.features.has("shader-f16")) {
    throw new Error(
      `the GPU's subgroup matrices, ${asked}, are of f16, which its shaders do not have`,
    );
  }
  setSubgroupMatrices(shape);
  const wrong = await wrongProduct(tf.backend() as unknown as GpuTensors);
  if (wrong === undefined) return;
  setSubgroupMatrices();
  throw new Error(`the GPU's subgroup matrices, ${asked}, multiply wrongly (${wrong})`);
}

/** The first product that is not exactly what it must be, if any is. */
async function wrongProduct(gpu: GpuTensors): Promise<string | undefined> {
  let wrong: string | undefined;
  for (const { name, found, expected } of checkedProducts(gpu)) {
    const values = await readValues(tf.engine().makeTensorFromTensorInfo(found), "float32");
    if (!expected.every((value, i) => value === values[i])) wrong ??= name;
  }
  return wrong;
}
