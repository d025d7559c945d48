import { type CandidateOptions, OptionRefused } from "../candidate.js";
import type { HalfBackend } from "./half-backend.js";
import { takeHalves } from "./halves.js";
import { takeSubgroupMatrices } from "./subgroup-matrices.js";
import { takeSubgroups } from "./subgroups.js";

type Options = Pick<CandidateOptions, "subgroups" | "subgroupMatrices" | "halfTeachers">;

/** By option, the variable that asks for it in Node. */
const variables: Readonly<Record<keyof Options, string>> = {
  subgroups: "PUPIL_WEBGPU_SUBGROUPS",
  subgroupMatrices: "PUPIL_WEBGPU_SUBGROUP_MATRICES",
  halfTeachers: "PUPIL_WEBGPU_HALF_TEACHERS",
};

/**
 * Takes options that the device has to prove itself with, where they are given; `backend` is the current one.
 *
 * @throws OptionRefused for one that the device does not have or computes wrongly with
 */
export async function takeOptions(
  backend: HalfBackend,
  device: GPUDevice,
  info: GPUAdapterInfo,
  options: Options,
): Promise<void> {
  const ways: Readonly<Record<keyof Options, (wanted: boolean) => Promise<void>>> = {
    subgroups: (wanted) => takeSubgroups(device, wanted),
    subgroupMatrices: (wanted) => takeSubgroupMatrices(device, info, wanted),
    halfTeachers: (wanted) => takeHalves(backend, wanted),
  };
  for (const name of Object.keys(ways) as (keyof Options)[]) {
    const wanted = options[name];
    if (wanted === undefined) continue;
    try {
      await ways[name](wanted);
    } catch (error) {
      const remedy = `Start without ${variables[name]} (${name}), or use another GPU.`;
      throw new OptionRefused((error as Error).message, remedy);
    }
  }
}
