/** The table of bench/gpu.sh from what it wrote: `tsx bench/gpu/table.ts FOLDER`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { textTable } from "../tables.js";
import { dispatchesPerToken, type GpuReport, type GpuStep, stepFlopsOf } from "./report.js";

interface TorchLine {
  readonly size: string;
  readonly kind: string;
  readonly tokensPerSecond?: number;
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
const whole = (value: number) => Math.round(value).toLocaleString("en");
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
  const eager = torch.find(({ size, kind }) => size === report.size && kind === "eager");
  const of = (value: number | undefined, known: number | undefined) =>
    value === undefined || known === undefined ? "–" : (value / known).toFixed(2);
  const gflops = stepFlopsOf(report.size) / step.ms / 1e6;
  return [
    report.size,
    report.kernels === "own" ? "webgpu" : report.kernels,
    String(step.dispatches),
    String(step.submits),
    whole(speed(step)),
    whole(speed(settled(report.onPolicy))),
    whole(speed(report.generations[0] as GpuStep)),
    dispatchesPerToken(report).toFixed(1),
    of(speed(step), eager?.tokensPerSecond),
    of(gflops, report.matmulGflops),
    of(gflops, report.fmaGflops),
  ];
});
const torchRows = torch.map(({ size, kind, tokensPerSecond, error }) => [
  ...[size, `PyTorch, ${kind}`, "", "", tokensPerSecond ? whole(tokensPerSecond) : (error ?? "–")],
  ...["", "", "", "", "", ""],
]);
const header = [
  ...["size", "", "dispatches", "submits", "tokens/s off policy", "on policy", "generated"],
  ...["dispatches per token", "of PyTorch eager", "of its own matmul", "of its FMA peak"],
];
const device = reports[0]?.device ?? "no report";
console.log(textTable({ title: `GPU: ${device}`, header, rows: [...rows, ...torchRows] }));

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
