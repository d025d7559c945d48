import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import * as tf from "@tensorflow/tfjs-core";
import { backendLimits, type DeviceLimits } from "../../../folders/index.js";

/** What the current backend can hold at most on this machine, see {@link backendLimits}. */
export function deviceLimits(
  name = tf.getBackend(),
  backend: object = tf.backend(),
  system = systemBytes(),
): DeviceLimits {
  return backendLimits(name, backend, system);
}

/** Memory of the machine, or of the container where it has less, and swap. */
function systemBytes(): number {
  // 0, or more than any machine has, where there is no such limit.
  const container = process.constrainedMemory?.() || Infinity;
  return Math.min(totalmem(), container) + swapBytes();
}

function swapBytes(): number {
  if (process.platform !== "linux") return Infinity;
  const kibibytes = /^SwapTotal:\s+(\d+) kB$/m.exec(readFileSync("/proc/meminfo", "utf8"))?.[1];
  return 1024 * Number(kibibytes ?? 0);
}
