import type { MatmulCall } from "./matmul-job.js";
import type { Reading } from "./reading.js";
import type { Roles } from "./roles.js";
import { byJob } from "./wgsl.js";

/** WGSL: what becomes of an entry. */
export function storeCode(
  { jobs, epilogue, second }: MatmulCall,
  roles: Roles,
  reading: Reading,
): string {
  const plus = (array: number | undefined, at: string) =>
    array === undefined ? "" : ` + ${reading.one(array, at)}`;
  const body = byJob(jobs, (job) => {
    const value = `given${plus(roles.bias[job], "col")}`;
    if (!epilogue) {
      return `out${job}[p.offset_out + at] = ${value}${plus(roles.residual[job], "at")};`;
    }
    return `let value = ${value};
  ${second ? `let second = given_second${plus(roles.second?.bias, "col")};` : ""}
  ${epilogue.code.code}`;
  });
  return `fn store(job: u32, row: u32, col: u32, given: f32${second ? ", given_second: f32" : ""}) {
  ${jobs.length === 1 ? "let pitch = p.stride_out0;" : `var pitch = 0u; ${byJob(jobs, (job) => `pitch = p.stride_out${job};`)}`}
  let at = row * pitch + col;
  ${body}
}`;
}
