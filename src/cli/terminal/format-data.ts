import type { RerankList, ShownToken } from "../../data/index.js";
import type { DataInspection } from "../../node/index.js";
import { formatNumber } from "./format.js";
import { printable } from "./terminal.js";

/** The lines of `pupil data`. */
export function formatInspection(inspection: DataInspection, hasColours: boolean): string[] {
  return inspection.kind === "rows" ? formatRows(inspection, hasColours) : formatLists(inspection);
}

type Rows = Extract<DataInspection, { kind: "rows" }>;
type Lists = Extract<DataInspection, { kind: "lists" }>;

function formatRows({ notes, vocabSize, lengths, examples }: Rows, hasColours: boolean): string[] {
  const legend = hasColours
    ? `${paint("learned", true)}${paint("·given", false)}, tokens parted by ${border}`
    : `[learned] and given tokens, parted by ${border}`;
  return [
    ...notes.map(printable),
    `Tokenizer: ${formatNumber(vocabSize)} ids.`,
    ...(lengths === undefined ? [] : ["", ...formatLengths(lengths)]),
    "",
    `Examples (${legend}):`,
    ...examples.flatMap(({ id, tokens }) => [
      "",
      `${printable(id)}, ${tokens.length} tokens`,
      formatTokens(tokens, hasColours),
    ]),
  ];
}

const border = "|";

/**
 * Tokens with their borders. Learned ones are green, or stand in brackets where there are no
 * colours; line ends are shown and kept.
 */
export function formatTokens(tokens: readonly ShownToken[], hasColours: boolean): string {
  const runs: { learned: boolean; texts: string[] }[] = [];
  for (const { text, learned } of tokens) {
    const shown = printable(text).replaceAll("\n", "⏎\n").replaceAll("\t", "⇥");
    const last = runs.at(-1);
    if (last?.learned === learned) last.texts.push(shown);
    else runs.push({ learned, texts: [shown] });
  }
  return runs
    .map(({ learned, texts }) => {
      const text = texts.join(border);
      if (hasColours) return paint(text, learned);
      return learned ? `[${text}]` : text;
    })
    .join(hasColours ? border : "");
}

function paint(text: string, learned: boolean): string {
  return `\u001b[${learned ? 32 : 2}m${text}\u001b[0m`;
}

const barWidth = 40;
const binCount = 10;

/** Percentiles and a histogram of row lengths. */
export function formatLengths(lengths: readonly number[]): string[] {
  const sorted = Float64Array.from(lengths).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] as number;
  const [least, most] = [at(0), at(1)];
  const width = Math.max(1, Math.ceil((most - least + 1) / binCount));
  const bins = Array.from({ length: Math.ceil((most - least + 1) / width) }, () => 0);
  for (const length of sorted) {
    const bin = Math.floor((length - least) / width);
    bins[bin] = (bins[bin] as number) + 1;
  }
  const highest = bins.reduce((max, count) => Math.max(max, count), 1);
  const columns = String(most).length;
  return [
    `Tokens per training row: least ${least}, median ${at(0.5)}, 90 % ≤ ${at(0.9)}, 99 % ≤ ${at(0.99)}, most ${most}`,
    ...bins.map((count, bin) => {
      const from = least + bin * width;
      const to = Math.min(most, from + width - 1);
      const range = `${String(from).padStart(columns)}–${String(to).padEnd(columns)}`;
      const bar = "█".repeat(Math.ceil((count / highest) * barWidth));
      return `  ${range}  ${bar.padEnd(barWidth)}  ${formatNumber(count)}`;
    }),
  ];
}

function formatLists({ notes, report, examples }: Lists): string[] {
  const grades = Object.entries(report.grades)
    .map(([grade, count]) => `grade ${grade}: ${formatNumber(count)}`)
    .join(", ");
  return [
    `${formatNumber(report.queries)} queries, ${formatNumber(report.passages)} passages, ` +
      `${formatNumber(report.judgements)} judgements (${grades}).`,
    `${formatNumber(report.lists)} lists with ${formatNumber(report.candidates)} candidates, ` +
      `${formatNumber(report.unjudgedCandidates)} of them unjudged; ` +
      `${formatNumber(report.listsWithoutRelevant)} lists without a relevant passage, ` +
      `${formatNumber(report.queriesWithoutCandidates)} queries without candidates.`,
    ...notes.map(printable),
    ...examples.flatMap((list) => ["", ...formatList(list)]),
  ];
}

const shownCandidates = 5;
const shownText = 90;

function formatList({ queryId, query, candidates }: RerankList): string[] {
  const more = candidates.length - shownCandidates;
  return [
    printable(`${queryId}: ${query}`),
    ...candidates.slice(0, shownCandidates).map(({ docid, text, grade, rank, score }) => {
      const judged = grade === undefined ? "unjudged" : `grade ${grade}`;
      const ranked = rank === undefined ? "" : `, rank ${rank}, score ${score}`;
      const line = text.replaceAll(/\s+/g, " ");
      const short = line.length > shownText ? `${line.slice(0, shownText - 1)}…` : line;
      return printable(`  ${docid} (${judged}${ranked}): ${short}`);
    }),
    ...(more > 0 ? [`  and ${more} more`] : []),
  ];
}
