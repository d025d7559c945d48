import { expect, test } from "vitest";
import { takeSubgroups } from "../../../src/backend/webgpu/subgroups.js";

const device = { features: new Set(["timestamp-query"]) } as unknown as GPUDevice;

test("subgroup operations that a device does not have are refused by the name they were asked for", async () => {
  await expect(takeSubgroups(device, true)).rejects.toThrow(
    "the GPU has no subgroup operations, which PUPIL_WEBGPU_SUBGROUPS=1 (subgroups: true) asks for",
  );
  await expect(takeSubgroups(device, false)).resolves.toBeUndefined();
});
