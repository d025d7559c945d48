/** jax-js on its wasm backend: `tsx bench/contestants/jax-child.ts`. Matrix products only. See protocol.ts. */
import { defaultDevice, init, jit, numpy } from "@jax-js/jax";
import { Random } from "../../src/tensors/index.js";
import { serve } from "./protocol.js";
import type { MatmulVariant } from "../scenarios.js";

// By name: without one it asks for `navigator`, which Node 20 does not have.
await init("wasm");
defaultDevice("wasm");

serve(async (task) => {
  if (task.task !== "matmul") throw new Error(`jax-js takes no part in ${task.task}.`);
  return { ms: [await matmul(task.size, task.variant, task.repeats)] };
});

/** Jitted: otherwise a small product spends most of its time on being dispatched. */
const products = {
  nn: jit((a: numpy.Array, b: numpy.Array) => numpy.matmul(a, b)),
  tn: jit((a: numpy.Array, b: numpy.Array) => numpy.matmul(numpy.matrixTranspose(a), b)),
  nt: jit((a: numpy.Array, b: numpy.Array) => numpy.matmul(a, numpy.matrixTranspose(b))),
} satisfies Record<MatmulVariant, unknown>;

/** Milliseconds of one square product. A call consumes its operands: `ref` is one more use of them. */
async function matmul(size: number, variant: MatmulVariant, repeats: number): Promise<number> {
  const random = new Random(size);
  const matrix = () => {
    const values = Float32Array.from({ length: size * size }, () => random.uniform() - 0.5);
    return { values, array: numpy.array(values).reshape([size, size]) };
  };
  const [a, b] = [matrix(), matrix()];
  const product = () => products[variant](a.array.ref, b.array.ref);
  // Compiles the kernel and moves the operands into the backend's memory.
  check((await product().data())[1] ?? Number.NaN, a.values, b.values, size, variant);
  const start = performance.now();
  for (let i = 0; i < repeats; i++) {
    // Calls are only queued until somebody waits.
    const result = await product().blockUntilReady();
    result.dispose();
  }
  const ms = (performance.now() - start) / repeats;
  a.array.dispose();
  b.array.dispose();
  return ms;
}

/** The time of something else than the product would mean nothing: `value` is its element [0, 1]. */
function check(
  value: number,
  a: Float32Array,
  b: Float32Array,
  size: number,
  variant: MatmulVariant,
): void {
  let expected = 0;
  for (let k = 0; k < size; k++) {
    const left = a[variant === "tn" ? k * size : k] as number;
    expected += left * (b[variant === "nt" ? size + k : k * size + 1] as number);
  }
  if (!(Math.abs(value - expected) < 1e-3)) {
    throw new Error(`jax-js: ${variant} of ${size} is ${value}, not ${expected}.`);
  }
}
