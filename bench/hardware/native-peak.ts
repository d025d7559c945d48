import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findCompiler } from "../../scripts/compile/native-compiler.mjs";

export interface NativePeak {
  readonly bits: number;
  readonly gflops: number;
}

/** GFLOP/s of bare multiply-adds in the widest vectors of this CPU, for each number of threads. */
export function nativePeaks(threads: readonly number[]): NativePeak[] | undefined {
  const compiler = findCompiler();
  if (compiler === undefined) return undefined;
  const [command = "cc", ...first] = compiler;
  const folder = mkdtempSync(join(tmpdir(), "pupil-peak-"));
  try {
    const program = join(folder, "peak");
    const source = fileURLToPath(new URL("peak.c", import.meta.url));
    // Contraction makes a·b + c one instruction, which is what is to be measured.
    const flags = ["-O3", "-march=native", "-ffp-contract=fast", "-pthread"];
    execFileSync(command, [...first, ...flags, source, "-o", program]);
    return threads.map((count) => {
      const [bits, gflops] = execFileSync(program, [String(count)], { encoding: "utf8" })
        .trim()
        .split(" ")
        .map(Number);
      return { bits: bits as number, gflops: gflops as number };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
