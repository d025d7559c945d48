import { differences } from "../../runs/folder/differences.js";
import { configOf, type Stage, kindOf } from "../../../config/index.js";
import type { AblationPlan, SettingRow } from "../planned.js";
import type { StageChoice } from "../stages/choose.js";
import type { Table } from "./tables.js";

/** The stages of every arm, with what differs from the stages that the baseline calls the same. */
export function chainTable({ arms, baseline }: AblationPlan): Table {
  const reference = arms.find(({ name }) => name === baseline)?.stages ?? [];
  return {
    title: "The arms and their stages",
    head: ["arm", "stages", `differs from ${baseline} in`],
    rows: arms.map(({ name, stages }) => [
      name,
      stages.map(({ name: stage }) => stage).join(" → "),
      name === baseline ? "" : stages.flatMap((stage) => changesOf(stage, reference)).join(" "),
    ]),
    note: "The last stage is measured. Arrows are the order in which stages are made; the configs of all of them are in ablation.json.",
  };
}

/** A changed stage as `sft.trainer.steps=200`; of a stage that the baseline lacks, its loss or its kind. */
function changesOf(stage: Stage, reference: readonly Stage[]): string[] {
  const { name } = stage;
  const twin = reference.find((other) => other.name === name && kindOf(other) === kindOf(stage));
  const config = configOf(stage);
  if (twin === undefined) return [`+${name}`];
  return differences(configOf(twin), config).map(
    (path) => `${name}.${path}=${JSON.stringify(valueAt(config, path)) ?? "none"}`,
  );
}

function valueAt(value: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

/** Every stage with the arms and seeds that share it. */
export function stagesTable({ stages }: AblationPlan): Table {
  return {
    title: "Every stage",
    head: ["stage", "seed", "kind", "arms", "hash"],
    rows: stages.map(({ name, seed, kind, arms, id }) => [
      ...[name, String(seed), kind],
      ...[arms.join(", "), id],
    ]),
    note: "Stages with the same config, seed and beginnings are one: it is made once and stored under stages/<hash>.",
  };
}

/** What was chosen, with the measures that decided. */
export function choicesTable(choices: readonly StageChoice[]): Table {
  return {
    title: "What was chosen",
    head: ["stage", "seed", "arms", "chosen", "by", "measures"],
    rows: choices.map(({ stage: { name, seed, arms }, chosen, metric, direction, scores }) => [
      ...[name, String(seed), arms.join(", "), chosen, `${direction} ${metric}`],
      Object.entries(scores)
        .map(([candidate, score]) => `${candidate} ${Number(score.toPrecision(3))}`)
        .join(", "),
    ]),
    note: "A choice takes what the best of its candidates made. The arm pays for all of them.",
  };
}

/** Settings beside those of the paper. */
export function settingsTable(settings: readonly SettingRow[]): Table {
  return {
    title: "Settings beside the paper's",
    head: ["setting", "here", "paper", "known from"],
    rows: settings.map(({ name, ours, paper = "—", source = "—" }) => [name, ours, paper, source]),
    note:
      "SRC: the authors' own repository; 3P: code or notes of others; ABS: the abstract; REC: not " +
      "verified, our reconstruction.",
  };
}
