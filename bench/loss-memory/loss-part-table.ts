import type { BenchmarkResults, LossForm, LossPart } from "../results.js";
import { lossPartSizes } from "../scenarios.js";
import { digits, type Table } from "../tables/tables.js";

/** At the largest vocabulary: memory of the fused form over that of the plain one, at most. */
const goal = 0.2;

const mebibytes = (bytes: number) => digits(bytes / 2 ** 20);

/** A row for each loss and vocabulary; empty where nothing was measured. */
export function lossPartTable({ lossParts = [] }: BenchmarkResults): Table {
  const pairs = pairsOf(lossParts);
  const rows = pairs.map(({ loss, vocabSize, plain, fused }) => [
    `${loss}, vocabulary ${vocabSize}`,
    ...[plain, fused].map(({ peakBytes }) => mebibytes(peakBytes)),
    digits(fused.peakBytes / plain.peakBytes),
    ...[plain, fused].map(({ maxRssBytes }) => mebibytes(maxRssBytes)),
    ...[plain, fused].map(({ cpuMs }) => digits(Math.min(...cpuMs))),
  ]);
  const { rows: tokens, hiddenSize } = lossPartSizes;
  const note =
    `Value and gradient from hidden states, ${tokens} tokens of width ${hiddenSize}, one thread. ` +
    "Peak: bytes handed out by the engine's allocator over hidden states and heads, the gradients of " +
    "both included. Process: the most that it ever had in memory, everything included. CPU time: best of " +
    `${pairs[0]?.plain.cpuMs.length ?? 0}. ${goalText(pairs)}`;
  const header = [
    "",
    "plain peak, MiB",
    "fused peak, MiB",
    "fused / plain",
    "plain process, MiB",
    "fused process, MiB",
    "plain, CPU ms",
    "fused, CPU ms",
  ];
  return { title: "Memory of a loss, all logits against chunks of them", note, header, rows };
}

interface Pair {
  readonly loss: string;
  readonly vocabSize: number;
  readonly plain: LossPart;
  readonly fused: LossPart;
}

function pairsOf(parts: readonly LossPart[]): Pair[] {
  return parts.flatMap((plain) => {
    const { loss, vocabSize, form } = plain;
    const of = (wanted: LossForm) =>
      parts.find((p) => p.loss === loss && p.vocabSize === vocabSize && p.form === wanted);
    const fused = of("fused");
    return form === "plain" && fused ? [{ loss, vocabSize, plain, fused }] : [];
  });
}

function goalText(pairs: readonly Pair[]): string {
  const largest = Math.max(...pairs.map(({ vocabSize }) => vocabSize));
  const missed = pairs.filter(
    ({ vocabSize, plain, fused }) =>
      vocabSize === largest && fused.peakBytes > goal * plain.peakBytes,
  );
  const verdict =
    missed.length === 0 ? "met by all" : `missed by ${missed.map(({ loss }) => loss).join(", ")}`;
  return `Goal at ${largest}: at most ${goal} of the plain peak, ${verdict}.`;
}
