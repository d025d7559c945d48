import type * as tf from "@tensorflow/tfjs-core";
import type { MatmulCall } from "./matmul-job.js";

type Info = tf.TensorInfo;

/** Which array each operand is: equal tensors are one. */
export interface Roles {
  /** By job and term. */
  readonly a: number[][];
  readonly b: number[][];
  readonly bias: (number | undefined)[];
  readonly residual: (number | undefined)[];
  readonly norm: { readonly weight: number; readonly bias: number | undefined } | undefined;
  readonly second: { readonly b: number; readonly bias: number | undefined } | undefined;
}

/** The arrays that a call reads, and what they are in it. */
export function rolesOf({ jobs, norm, second }: MatmulCall): { arrays: Info[]; roles: Roles } {
  const arrays: Info[] = [];
  const roleOf = (tensor: Info) => {
    const at = arrays.findIndex(({ dataId }) => dataId === tensor.dataId);
    return at >= 0 ? at : arrays.push(tensor) - 1;
  };
  const optional = (tensor: Info | undefined) => (tensor ? roleOf(tensor) : undefined);
  const roles = {
    a: jobs.map(({ a }) => a.map(roleOf)),
    b: jobs.map(({ b }) => b.map(roleOf)),
    bias: jobs.map(({ bias }) => optional(bias)),
    residual: jobs.map(({ residual }) => optional(residual)),
    norm: norm && { weight: roleOf(norm.weight), bias: optional(norm.bias) },
    second: second && { b: roleOf(second.b), bias: optional(second.bias) },
  };
  return { arrays, roles };
}
