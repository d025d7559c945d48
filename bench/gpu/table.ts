/** The table of bench/gpu.sh from what it wrote: `tsx bench/gpu/table.ts FOLDER`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { textTable } from "../tables/tables.js";
import {
  dispatchesPerToken,
  type GpuReport,
  type GpuStep,
  inMebibytes,
  stepFlopsOf,
} from "./report.js";

interface TorchLine {
  readonly size: string;
  readonly kind: string;
  readonly tokensPerSecond?: number;
  readonly memoryBytes?: number;
  readonly error?: string;
}

const folder = process.argv[2] ?? "bench-gpu";
const read = (name: string) => readFileSync(join(folder, name), "utf8");
const lines = (name: string) =>
  existsSync(join(folder, name))
    ? read(name)
        .split("\n")
        .filter((line) => line.startsWith("{"))
    : [];
/** Of what is counted, which is what goes through WebGPU. */
const counted = ({ kernels }: GpuReport, value: number) =>
  kernels === "tensorflow" ? "–" : String(value);
const whole = (value: number) =>
  value < 10 ? value.toPrecision(2) : Math.round(value).toLocaleString("en");
/** The median of the later half of the steps: everything is compiled by then. */
function settled(steps: readonly GpuStep[]): GpuStep {
  const later = steps.slice(Math.floor(steps.length / 2));
  return [...later].sort((a, b) => a.ms - b.ms)[Math.floor(later.length / 2)] as GpuStep;
}
const speed = ({ tokens, ms }: GpuStep) => (1000 * tokens) / ms;

const files = readdirSync(folder).filter((name) => /^(webgpu|tensorflow)-.*\.json$/.test(name));
const reports = files.flatMap((name): GpuReport[] => {
  const parsed = JSON.parse(read(name)) as GpuReport | GpuReport[];
  return Array.isArray(parsed) ? parsed : [parsed];
});
const torch = lines("torch.jsonl").map((line) => JSON.parse(line) as TorchLine);

const rows = reports.map((report) => {
  const step = settled(report.offPolicy);
  const byTorch = (wanted: string) =>
    torch.find(({ size, kind }) => size === report.size && kind === wanted)?.tokensPerSecond;
  const of = (value: number | undefined, known: number | undefined) =>
    value === undefined || known === undefined ? "–" : (value / known).toPrecision(2);
  const gflops = stepFlopsOf(report.size) / step.ms / 1e6;
  return [
    report.size,
    report.kernels === "own" ? "webgpu" : report.kernels,
    counted(report, step.dispatches),
    counted(report, step.submits),
    counted(report, step.buffers),
    counted(report, step.readbacks),
    whole(speed(step)),
    whole(speed(settled(report.onPolicy))),
    whole(speed(report.generations[0] as GpuStep)),
    report.kernels === "tensorflow" ? "–" : dispatchesPerToken(report).toFixed(1),
    inMebibytes(report.memoryBytes),
    of(speed(step), byTorch("eager")),
    of(speed(step), byTorch("torch.compile")),
    of(gflops, report.matmulGflops),
    of(gflops, report.fmaGflops),
  ];
});
const torchRows = torch.map(({ size, kind, tokensPerSecond, memoryBytes, error }) => [
  ...[size, `PyTorch, ${kind}`, "", "", "", ""],
  tokensPerSecond ? whole(tokensPerSecond) : (error ?? "–"),
  ...["", "", "", inMebibytes(memoryBytes), "", "", "", ""],
]);
const header = [
  ...["size", "", "dispatches", "submits", "buffers made", "readbacks"],
  ...["tokens/s off policy", "on policy", "generated", "dispatches per token", "memory, MiB"],
  ...["of PyTorch eager", "of torch.compile", "of its own matmul", "of its FMA peak"],
];
const peaks = reports
  .filter(({ matmulGflops }) => matmulGflops !== undefined)
  .map(
    ({ size, matmulRows, matmulGflops, fmaGflops }) =>
      `${size}: own product of ${matmulRows}³ ${matmulGflops?.toFixed(1)} GFLOP/s, FMA in registers ${fmaGflops?.toFixed(1)}`,
  );
const note = [
  "Counts and speeds: the median of the later half of the steps; memory: what tensors had of the device at most.",
  "Shares: the matrix products of an off-policy step over its time, by what the device did alone.",
  ...peaks,
].join("\n  ");
const [first = reports[0]] = reports.filter(({ kernels }) => kernels === "own");
const device = first?.device ?? "no report";
console.log(textTable({ title: `GPU: ${device}`, note, header, rows: [...rows, ...torchRows] }));

const sweep = lines("sweep.jsonl")
  .map((line) => JSON.parse(line) as { tiles: string; reports: GpuReport[] })
  .map(({ tiles, reports: [report] }) => ({
    ...{ tiles, tokens: speed(settled((report as GpuReport).offPolicy)) },
    matmul: (report as GpuReport).matmulGflops ?? 0,
  }))
  .sort((a, b) => b.tokens - a.tokens)
  .map(({ tiles, tokens, matmul }) => [tiles, whole(tokens), whole(matmul)]);
if (sweep.length > 0) {
  const head = ["tiles", "tokens/s off policy", "matmul GFLOP/s"];
  console.log(`\n${textTable({ title: "Tiles, the fastest first", header: head, rows: sweep })}`);
}
