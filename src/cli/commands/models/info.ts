import Table from "cli-table3";
import { type ModelInfo, readModelInfo } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

/** `pupil info <model>`. */
export async function infoCommand(path: string): Promise<void> {
  writeLine(process.stdout, describeModel(await readModelInfo(path)).join("\n"));
}

function describeModel(info: ModelInfo): string[] {
  const { config, weights, memory, tokenizer, unknownKeys, adapter } = info;
  const scaling = config.ropeScaling === null ? [] : [`${config.ropeScaling.type} rotary scaling`];
  return [
    info.path,
    ...(adapter ? describeAdapter(adapter, info.parameters) : []),
    [
      `${config.family}: ${config.numLayers} layers of ${config.hiddenSize}`,
      `${config.numHeads} heads of ${config.headDim} (${config.numKeyValueHeads} for keys and values)`,
      `MLP ${config.intermediateSize}`,
      `context ${count(info.contextLength)}`,
      ...describeWindow(config),
      ...scaling,
    ].join(", "),
    parameterTable(info).toString(),
    `Weights: ${weights.tensors} tensors of ${weights.dtypes.join(", ")} in ${weights.files} file${weights.files === 1 ? "" : "s"}, ${size(weights.bytes)}.`,
    `In memory: ${size(memory.weights)} of weights; ${size(memory.gradients + memory.optimizer)} more to train (gradients, AdamW); ` +
      `${size(1000 * memory.cachePerToken)} per 1,000 cached tokens.`,
    describeTokenizer(tokenizer),
    ...(unknownKeys.length === 0
      ? []
      : [`Keys of config.json without effect: ${unknownKeys.join(", ")}.`]),
  ];
}

function describeWindow({ slidingWindow, layerTypes, numLayers }: ModelInfo["config"]): string[] {
  if (slidingWindow === null) return [];
  const number = layerTypes?.filter((type) => type === "sliding_attention").length ?? numLayers;
  const where = number === numLayers ? "" : ` in ${number} of ${numLayers} layers`;
  return [`sliding window ${slidingWindow}${where}`];
}

function describeAdapter(
  { base, settings, parameters }: NonNullable<ModelInfo["adapter"]>,
  ofBase: number,
): string[] {
  const { rank, alpha, rankStabilized, targets } = settings;
  const share = ((100 * parameters) / ofBase).toPrecision(2);
  return [
    `LoRA adapter: ${count(parameters)} trained parameters, ${share} % of the base model's; rank ${rank}, alpha ${alpha}${rankStabilized ? ", rank-stabilized" : ""}${targets ? `, on ${targets.join(", ")}` : ""}.`,
    `Base model: ${base}`,
  ];
}

function describeTokenizer(tokenizer: ModelInfo["tokenizer"]): string {
  if ("problem" in tokenizer) return `Tokenizer: none that works. ${tokenizer.problem}`;
  const { type, vocabSize, startIds, endIds, padId, hasChatTemplate } = tokenizer;
  const ids = (list: readonly number[]) => (list.length === 0 ? "nothing" : list.join(", "));
  const marks = `starts with ${ids(startIds)}, ends with ${ids(endIds)}, pads with ${padId}`;
  const template = hasChatTemplate ? "with a chat template" : "no chat template";
  return `Tokenizer: ${type}, ${count(vocabSize)} ids; ${marks}; ${template}.`;
}

function parameterTable({ groups, parameters, config }: ModelInfo): Table.Table {
  const table = new Table({
    head: ["parameters", "", "share"],
    style: { head: [], border: [], compact: true },
    colAligns: ["left", "right", "right"],
  });
  const row = (name: string, value: number) =>
    table.push([name, count(value), `${((100 * value) / parameters).toFixed(1)} %`]);
  for (const [group, value] of Object.entries(groups)) {
    if (group === "head" && config.tieWordEmbeddings) table.push(["head", "tied", ""]);
    else row(group, value);
  }
  row("all", parameters);
  return table;
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function size(bytes: number): string {
  const units = ["bytes", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const value = bytes / 2 ** (10 * power);
  return `${power === 0 ? value : Number(value.toPrecision(3))} ${units[power]}`;
}
