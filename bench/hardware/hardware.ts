/**
 * What WebAssembly, and machine code, can get out of this machine: `tsx bench/hardware/hardware.ts <threads>` prints one line of
 * JSON (`Hardware`).
 */
import { Worker } from "node:worker_threads";
import asc from "assemblyscript/asc";
import { nodeWasmPlatform } from "../../src/node/wasm-platform.js";
import { nativePeaks } from "./native-peak.js";
import type { Hardware } from "../results.js";
import { median } from "../statistics.js";

// Enough independent chains to hide the latency of the instruction; with the two operands they fit
// into 16 registers.
const chains = Array.from({ length: 12 }, (_, i) => `c${i}`);

function peakSource(fused: boolean): string {
  const add = (c: string) =>
    fused ? `f32x4.relaxed_madd(a, b, ${c})` : `f32x4.add(f32x4.mul(a, b), ${c})`;
  return `export function run(n: i32): f32 {
    const a = f32x4.splat(1.5), b = f32x4.splat(f32(n) * 1e-9);
    ${chains.map((c, i) => `let ${c} = f32x4.splat(${i});`).join("\n")}
    for (let i = 0; i < n; i++) {
      ${chains.map((c) => `${c} = ${add(c)};`).join("\n")}
    }
    return f32x4.extract_lane(${chains.reduce((sum, c) => `f32x4.add(${sum}, ${c})`)}, 0);
  }`;
}

async function compilePeak(fused: boolean): Promise<Uint8Array> {
  const { error, binary, stderr } = await asc.compileString(peakSource(fused), {
    ...{ optimizeLevel: 3, runtime: "stub", noAssert: true },
    enable: ["simd", ...(fused ? ["relaxed-simd"] : [])],
  });
  if (error !== null || binary === null) throw error ?? new Error(stderr.toString());
  return binary;
}

const workerSource = `
const { parentPort, workerData } = require("node:worker_threads");
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(workerData.binary));
const floats = 1 << 25;
const [from, to] = [new Float32Array(floats).fill(1), new Float32Array(floats).fill(2)];
const tasks = {
  peak() {
    const n = 3e7;
    const start = performance.now();
    exports.run(n);
    return (n * workerData.chains * 8) / (performance.now() - start) / 1e6;
  },
  copy() {
    const start = performance.now();
    to.set(from);
    return (2 * to.byteLength) / (performance.now() - start) / 1e6;
  },
};
parentPort.on("message", (name) => parentPort.postMessage(tasks[name]()));
for (const name of ["peak", "copy"]) tasks[name]();
parentPort.postMessage("ready");
`;

/** The next message of every worker. An error of one ends the process, as nobody listens for it. */
async function answers(workers: readonly Worker[]): Promise<number[]> {
  const messages = workers.map(
    (worker) => new Promise<number>((resolve) => worker.once("message", resolve)),
  );
  return await Promise.all(messages);
}

async function measure(workers: readonly Worker[], task: string): Promise<number> {
  const rates: number[] = [];
  for (let round = 0; round < 9; round++) {
    const all = answers(workers);
    for (const worker of workers) worker.postMessage(task);
    rates.push((await all).reduce((sum, rate) => sum + rate, 0));
  }
  return task === "peak" ? Math.max(...rates) : median(rates);
}

const threads = Number(process.argv[2]);
const fusedMultiplyAdd = nodeWasmPlatform.supportsRelaxedSimd();
const workerData = { binary: await compilePeak(fusedMultiplyAdd), chains: chains.length };
const workers = Array.from(
  { length: threads },
  () => new Worker(workerSource, { eval: true, workerData }),
);
await answers(workers);
const one = workers.slice(0, 1);
const [nativeOne, nativeAll] = nativePeaks([1, threads]) ?? [];
const hardware: Hardware = {
  ...(nativeOne &&
    nativeAll && {
      native: {
        bits: nativeOne.bits,
        gflops: nativeOne.gflops,
        gflopsAllThreads: nativeAll.gflops,
      },
    }),
  fusedMultiplyAdd,
  peakGflops: await measure(one, "peak"),
  peakGflopsAllThreads: await measure(workers, "peak"),
  copyGigabytes: await measure(one, "copy"),
  copyGigabytesAllThreads: await measure(workers, "copy"),
};
process.stdout.write(`${JSON.stringify(hardware)}\n`);
process.exit(0);
