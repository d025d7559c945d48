/** A contestant on tfjs: `tsx bench/contestants/tfjs-child.ts <executor> <threads>` or `… stock`. See protocol.ts. */
import { startEngine, startStock } from "./backends.js";
import type { Executor } from "../../src/ops/index.js";
import { serve } from "./protocol.js";
import { tfjsWorkloads } from "./workloads.js";

const [kind, threads] = process.argv.slice(2);
const peakOf =
  kind === "stock" ? await startStock() : await startEngine(Number(threads), kind as Executor);
serve(tfjsWorkloads(peakOf));
