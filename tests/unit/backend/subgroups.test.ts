import { expect, test } from "vitest";
import { matricesOf, takeSubgroupMatrices } from "../../../src/backend/webgpu/subgroup-matrices.js";
import { takeSubgroups } from "../../../src/backend/webgpu/subgroups.js";

const device = { features: new Set(["timestamp-query"]) } as unknown as GPUDevice;

test("subgroup operations that a device does not have are refused by the name they were asked for", async () => {
  await expect(takeSubgroups(device, true)).rejects.toThrow(
    "the GPU has no subgroup operations, which PUPIL_WEBGPU_SUBGROUPS=1 (subgroups: true) asks for",
  );
  await expect(takeSubgroups(device, false)).resolves.toBeUndefined();
});

test("subgroup matrices that a device does not have are refused by the name they were asked for", async () => {
  await expect(takeSubgroupMatrices(device, {}, true)).rejects.toThrow(
    "the GPU offers no subgroup matrices, which PUPIL_WEBGPU_SUBGROUP_MATRICES=1 (subgroupMatrices: true) asks for",
  );
  await expect(takeSubgroupMatrices(device, {}, false)).resolves.toBeUndefined();
});

const config = (types: string, M: number, N: number, K: number) => {
  const [componentType, resultComponentType] = types.split(" to ") as [string, string];
  return { componentType, resultComponentType, M, N, K };
};
const apple = [config("f16 to f16", 8, 8, 8), config("f32 to f32", 8, 8, 8)];
const nvidia = [config("f16 to f16", 16, 16, 16), config("f16 to f32", 16, 16, 16)];
const intel = [config("f16 to f32", 8, 16, 16), config("u8 to u32", 8, 16, 32)];

test.each([
  ["f32, if there are any", apple, { component: "f32", M: 8, N: 8, K: 8 }],
  ["f16 with sums of f32", nvidia, { component: "f16", M: 16, N: 16, K: 16 }],
  ["the ones that fit", [config("f16 to f32", 64, 8, 16), ...intel], { component: "f16", M: 8 }],
])("taken are %s", (_, subgroupMatrixConfigs, expected) => {
  const info = { subgroupMaxSize: 32, subgroupMatrixConfigs };
  expect(matricesOf(info)).toMatchObject({ ...expected, lanes: 32 });
});

test("matrices that cannot be used are refused with the reason", () => {
  const refusal = (
    subgroupMaxSize: number,
    ...subgroupMatrixConfigs: ReturnType<typeof config>[]
  ) => {
    try {
      return matricesOf({ subgroupMaxSize, subgroupMatrixConfigs });
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refusal(32)).toBe("with sums of f32 it has none");
  expect(refusal(32, config("f16 to f16", 8, 8, 8))).toBe(
    "with sums of f32 it has none, only f16 to f16 8x8x8",
  );
  expect(refusal(32, config("f16 to f32", 16, 16, 32))).toBe(
    "tiles of 32x32x16 hold no whole number of subgroup matrices of 16x16x32",
  );
  expect(refusal(128, ...nvidia)).toBe(
    "a workgroup of 64 threads has no whole number of subgroups of 128",
  );
});
