import Table from "cli-table3";
import { families, parameterGroups } from "../models/index.js";
import { inspectModel, type ModelReport, type SpecialToken } from "../node/index.js";
import { formatBytes } from "./format.js";

/** `pupil info <model folder | run folder>`: tables on stdout. */
export async function infoCommand(path: string): Promise<void> {
  process.stdout.write(`${formatModelReport(await inspectModel(path)).join("\n")}\n`);
}

const count = (n: number) => n.toLocaleString("en-US");

/** The lines of a report. */
export function formatModelReport(report: ModelReport): string[] {
  const sections: [string, [string, string][]][] = [
    ["Architecture", architecture(report)],
    ["Parameters", parameters(report)],
    ["Memory", memory(report)],
    ["Tokenizer", tokenizer(report)],
  ];
  const unknown = report.unknownKeys;
  return [
    report.folder,
    ...sections.flatMap(([title, rows]) => ["", title, table(rows)]),
    "",
    unknown.length === 0
      ? "Every key of config.json is understood."
      : `Keys of config.json without effect: ${unknown.join(", ")}.`,
  ];
}

function table(rows: readonly [string, string][]): string {
  const isNumber = rows.every(([, value]) => /^[\d,.]+( [KMGT]?B)?$/.test(value));
  const made = new Table({
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
    colAligns: ["left", isNumber ? "right" : "left"],
  });
  made.push(...rows);
  return made.toString();
}

function architecture({ config, contextLength }: ModelReport): [string, string][] {
  const { slidingWindow, ropeScaling, activation } = config;
  return [
    ["family", `${config.family}: ${families[config.family].summary}`],
    ["layers", count(config.numLayers)],
    ["hidden size", `${count(config.hiddenSize)}, MLP ${count(config.intermediateSize)}`],
    [
      "heads",
      `${config.numHeads} of ${config.headDim}, ${config.numKeyValueHeads} for keys and values`,
    ],
    ["vocabulary", count(config.vocabSize)],
    ["context", `${count(contextLength)} tokens`],
    ["activation", activation],
    ...(ropeScaling ? [["rotary scaling", ropeScaling.type] as [string, string]] : []),
    ...(slidingWindow !== null
      ? [["sliding window", `${count(slidingWindow)} tokens`] as [string, string]]
      : []),
  ];
}

function parameters({ config, size }: ModelReport): [string, string][] {
  const titles: Record<string, string> = { mlp: "MLP" };
  const rows = parameterGroups.map((group): [string, string] => [
    titles[group] ?? group,
    group === "head" && config.tieWordEmbeddings
      ? "tied to the embedding"
      : count(size.groups[group]),
  ]);
  return [...rows, ["all, trainable", count(size.numParameters)]];
}

function memory({ size, stored }: ModelReport): [string, string][] {
  const files = stored.numFiles === 1 ? "1 file" : `${stored.numFiles} files`;
  return [
    [`weights as stored (${stored.dtypes.join(", ")}, ${files})`, formatBytes(stored.bytes)],
    ["weights in float32", formatBytes(size.weightBytes)],
    ["AdamW state", formatBytes(size.optimizerBytes)],
    ["key/value cache, 1,000 tokens", formatBytes(1000 * size.cacheBytesPerToken)],
  ];
}

function tokenizer({ tokenizer: found }: ModelReport): [string, string][] {
  if (found === undefined) return [["kind", "none: the folder has no tokenizer.json"]];
  const list = (tokens: readonly SpecialToken[]) =>
    tokens.length === 0 ? "none" : tokens.map(named).join(", ");
  const special = found.special.slice(0, 8);
  const more = found.special.length - special.length;
  return [
    ["kind", found.kind],
    ["vocabulary", count(found.vocabSize)],
    ["special", `${list(special)}${more > 0 ? ` and ${more} more` : ""}`],
    ["before a text", list(found.startIds)],
    ["ends a text", list(found.endIds)],
    ["padding", named(found.padId)],
    ["chat template", found.hasChatTemplate ? "yes" : "no"],
  ];
}

function named({ id, text }: SpecialToken): string {
  return text === undefined ? String(id) : `${id} ${text}`;
}
