/**
 * Matrix products of the CPU engine in GFLOP/s, best of several rounds:
 * `npx tsx bench/matmul.ts [threads] [relaxed|plain]`.
 * Columns: A·B, Aᵀ·B, A·Bᵀ, Aᵀ·Bᵀ.
 */
import { startWasmBackend } from "../src/backend/wasm/index.js";
import { nodeWasmPlatform } from "../src/node/wasm-platform.js";

const numThreads = Number(process.argv[2] ?? 1);
const build = process.argv[3] === "plain" ? "plain" : "relaxed";
const { engine } = await startWasmBackend(nodeWasmPlatform, { numThreads, build });
// Lets the workers start.
await new Promise((resolve) => setTimeout(resolve, 300));

const shapes = [
  ...[64, 128, 256, 512, 1024].map((n) => [1, n, n, n] as const),
  ...([
    [1, 1024, 128, 128],
    [1, 1024, 512, 128],
    [1, 1024, 128, 512],
  ] as const),
  ...([
    [1, 128, 512, 1024],
    [64, 64, 64, 32],
    [64, 64, 32, 64],
    [1, 16, 128, 128],
  ] as const),
];
console.log(`${build} build, ${numThreads} thread(s): batch×m×n×k`);
for (const [batch, m, n, k] of shapes) {
  const work = 2 * batch * m * n * k;
  const rates = [0, 1, 2, 3].map((flags) => {
    const blocks = [m * k, k * n, m * n].map((size) => engine.allocator.allocate(4 * batch * size));
    const [a, b, c] = blocks.map((block) => block.address) as [number, number, number];
    engine.kernels.fill(a, 0.5, batch * m * k);
    engine.kernels.fill(b, 0.25, batch * k * n);
    const repeats = Math.max(3, Math.ceil(2e8 / work));
    let best = Infinity;
    for (let round = 0; round < 8; round++) {
      const start = performance.now();
      for (let i = 0; i < repeats; i++) {
        engine.kernels.matmul(a, b, c, 0, batch, m, n, k, flags, m * k, k * n);
      }
      best = Math.min(best, (performance.now() - start) / repeats);
    }
    for (const block of blocks) engine.allocator.release(block);
    return (work / best / 1e6).toFixed(1).padStart(7);
  });
  console.log(`${`${batch}×${m}×${n}×${k}`.padEnd(20)}${rates.join("")}`);
}
process.exit(0);
