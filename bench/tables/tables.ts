import {
  alone,
  beside,
  type BenchmarkResults,
  findMeasurement,
  lossTolerance,
  type Measurement,
  takesPart,
} from "../results.js";
import {
  generation,
  generationFlops,
  matmulSizes,
  matmulVariants,
  type ScenarioName,
  scenarioNames,
  scenarios,
  stepFlops,
} from "../scenarios.js";
import { compareWithTargets } from "./targets.js";

export interface Table {
  readonly title: string;
  /** Below the table. */
  readonly note?: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** All tables of a result that have rows, the targets first. */
export function resultTables(results: BenchmarkResults): Table[] {
  if (results.measurements.length === 0 && results.hardware === undefined) return [];
  return [
    targetTable(results),
    trainingTable(results),
    boundTable(results),
    generationTable(results),
    sideBySideTable(results),
    matmulTable(results),
    memoryTable(results),
    startupTable(results),
  ].filter(({ rows }) => rows.length > 0);
}

type Format = (measurement: Measurement) => string;

/** A row for each case with a column for each contestant that takes part in the group; cases nobody was measured in are left out. */
function comparison(
  results: BenchmarkResults,
  group: Measurement["group"],
  cases: readonly { readonly name: string; readonly label: string; readonly format: Format }[],
): Pick<Table, "header" | "rows"> {
  const contestants = results.contestants.filter((contestant) => takesPart(contestant, group));
  const rows = cases.flatMap(({ name, label, format }) => {
    const found = contestants.map(({ id }) => findMeasurement(results, group, name, id));
    if (found.every((m) => m === undefined)) return [];
    return [[label, ...found.map((m) => (m === undefined ? "–" : format(m)))]];
  });
  return { header: ["", ...contestants.map(({ label }) => label)], rows };
}

const medianAndBest: Format = ({ median, min }) => `${digits(median)} (${digits(min)})`;
const mebibytes: Format = ({ median }) => digits(median / 2 ** 20);

function targetTable(results: BenchmarkResults): Table {
  const rows = compareWithTargets(results).map(({ name, goal, ratio, bestRatio }) => [
    name,
    `≥ ${goal}`,
    ratio === undefined ? "–" : ratio.toFixed(2),
    bestRatio === undefined ? "–" : bestRatio.toFixed(2),
    ratio === undefined ? "not measured" : ratio >= goal ? "yes" : "no",
  ]);
  const header = ["target", "goal", "medians", "bests", "met"];
  return { title: `Targets, ${results.threads} threads where nothing else is said`, header, rows };
}

function trainingTable(results: BenchmarkResults): Table {
  const cases = scenarioNames.map((name) => {
    const { numLayers, hiddenSize, vocabSize, batchSize, sequenceLength } = scenarios[name];
    const sizes = `${numLayers}×${hiddenSize}, vocabulary ${vocabSize}`;
    return {
      name,
      label: `${name}: ${sizes}, ${batchSize}×${sequenceLength} tokens`,
      format: medianAndBest,
    };
  });
  const title = "Training step, ms: median (best)";
  const differences = Object.values(results.lossDifferences);
  const note =
    "Forward KL to given teacher logits, gradient clipping, AdamW; the same weights and tokens for " +
    `all. Largest relative difference of the first losses: ${Math.max(0, ...differences).toExponential(0)} ` +
    `(allowed ${lossTolerance}).`;
  return { title, note, ...comparison(results, "training", cases) };
}

/** How training and generation compare with the time their matrix products need at least. */
function boundTable(results: BenchmarkResults): Table {
  const { hardware, threads } = results;
  const header = ["", "matrix products, GFLOP", "at the peak, ms", "ours, ms", "share"];
  if (hardware === undefined) return { title: "", header, rows: [] };
  const { peakGflops, peakGflopsAllThreads, copyGigabytes, copyGigabytesAllThreads } = hardware;
  const row = (group: "training" | "generation", name: ScenarioName, flops: number) => {
    const own = findMeasurement(results, group, name, `pupil-${threads}`);
    if (own === undefined) return [];
    const peak = hardware.native?.gflopsAllThreads ?? peakGflopsAllThreads;
    const leastMs = flops / peak / 1e6;
    const share = `${Math.round((100 * leastMs) / own.median)} %`;
    return [[`${group}, ${name}`, digits(flops / 1e9), digits(leastMs), digits(own.median), share]];
  };
  const rows = [
    ...scenarioNames.flatMap((name) => row("training", name, stepFlops(name))),
    ...row("generation", "small", generationFlops()),
  ];
  const operation = hardware.fusedMultiplyAdd ? "fused multiply-add" : "multiply, then add";
  const widest =
    hardware.native === undefined
      ? ""
      : `Peak of the CPU's ${hardware.native.bits}-bit vectors, by which the table goes: ` +
        `${digits(hardware.native.gflops)} GFLOP/s on one thread, ` +
        `${digits(hardware.native.gflopsAllThreads)} on ${threads}. `;
  const note =
    `${widest}Peak of 128-bit SIMD in WebAssembly (a loop of 12 independent ${operation} chains in ` +
    `registers): ${digits(peakGflops)} GFLOP/s on one thread, ${digits(peakGflopsAllThreads)} on ` +
    `${threads}. Copying 128 MiB, bytes read plus written: ${digits(copyGigabytes)} GB/s on one ` +
    `thread, ${digits(copyGigabytesAllThreads)} on ${threads}.`;
  return { title: `Distance to the hardware bound, ${threads} threads`, note, header, rows };
}

function generationTable(results: BenchmarkResults): Table {
  const { rows, newTokens } = generation;
  const perSecond = (ms: number) => digits((1000 * rows * newTokens) / ms);
  const format: Format = ({ median, min }) => `${perSecond(median)} (${perSecond(min)})`;
  const label = `small, ${rows} rows × ${newTokens} tokens`;
  return {
    title: "Generation, tokens per second: median (best)",
    ...comparison(results, "generation", [{ name: "small", label, format }]),
  };
}

function sideBySideTable(results: BenchmarkResults): Table {
  const header = ["", "alone, ms", "beside another, ms", "speed that each keeps"];
  const rows = results.contestants.flatMap(({ id, label }) => {
    const one = findMeasurement(results, "side-by-side", alone, id);
    const two = findMeasurement(results, "side-by-side", beside, id);
    if (one === undefined || two === undefined) return [];
    const kept = `${Math.round((100 * one.median) / two.median)} %`;
    return [[label, medianAndBest(one), medianAndBest(two), kept]];
  });
  const title = "Two trainings of the small student side by side, ms a step: median (best)";
  const note = "Each in a process with threads for all cores; of the two the slower one.";
  return { title, note, header, rows };
}

function matmulTable(results: BenchmarkResults): Table {
  const cases = matmulSizes.flatMap((size) =>
    matmulVariants.map((variant) => {
      const rate = (ms: number) => digits((2 * size ** 3) / ms / 1e6);
      const format: Format = ({ median, min }) => `${rate(median)} (${rate(min)})`;
      return { name: `${size} ${variant}`, label: `${size} ${variant}`, format };
    }),
  );
  return {
    title: "Matrix product, GFLOP/s: median (best)",
    note: "Square float32 matrices; nn is A·B, tn is Aᵀ·B, nt is A·Bᵀ. Ours and tfjs: through `tf.matMul`; jax-js: a jitted `numpy.matmul`.",
    ...comparison(results, "matmul", cases),
  };
}

function memoryTable(results: BenchmarkResults): Table {
  const cases = scenarioNames.flatMap((name) => [
    { name: `${name} step`, label: `${name}, step`, format: mebibytes },
    { name: `${name} loss`, label: `${name}, loss part`, format: mebibytes },
  ]);
  return {
    title: "Peak memory, MiB",
    note:
      "Over what is in use between steps (parameters, moments, teacher logits). The loss part goes " +
      "from given hidden states to the loss and back to the gradient of the head. " +
      "Ours: bytes handed out by the engine's allocator. tfjs wasm: its tensors, without kernels' " +
      "scratch. PyTorch: its profiler's allocations.",
    ...comparison(results, "memory", cases),
  };
}

function startupTable(results: BenchmarkResults): Table {
  const time = comparison(results, "startup", [
    { name: "small", label: "start of the process to the first step, ms", format: medianAndBest },
  ]);
  const memory = comparison(results, "memory", [
    { name: "small process", label: "largest resident size, MiB", format: mebibytes },
  ]);
  return {
    title: "First step of the small student in a fresh process",
    header: time.header,
    rows: [...time.rows, ...memory.rows],
  };
}

/** Three significant digits. */
export function digits(value: number): string {
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  return value.toFixed(Math.min(3, decimals));
}

/** Aligned columns for a terminal; the first column to the left. */
export function textTable({ title, note, header, rows }: Table): string {
  const all = [header, ...rows];
  const widths = header.map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  const lines = all.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return [title, ...lines.map((line) => `  ${line}`), ...(note ? [`  ${note}`] : [])].join("\n");
}

export function markdownTable({ title, note, header, rows }: Table): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = header.map((_, i) => (i === 0 ? "---" : "---:"));
  const table = [header, rule, ...rows].map(line).join("\n");
  return [`### ${title}`, table, ...(note ? [note] : [])].join("\n\n");
}
