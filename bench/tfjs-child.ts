/** A contestant on tfjs: `tsx bench/tfjs-child.ts pupil <threads>` or `… stock`. See protocol.ts. */
import { startEngine, startStock } from "./backends.js";
import { serve } from "./protocol.js";
import { tfjsWorkloads } from "./workloads.js";

const [kind, threads] = process.argv.slice(2);
const peakOf = kind === "stock" ? await startStock() : await startEngine(Number(threads));
serve(tfjsWorkloads(peakOf));
