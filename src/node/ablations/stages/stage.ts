import { join } from "node:path";
import type { Choice, ProductKind, RunConfig } from "../../../config/index.js";
import { writeFileAtomic } from "../../files/atomic.js";
import { exists } from "../../files/file-exists.js";
import type { CollectConfig } from "./collector.js";
import type { Computing } from "./computing.js";

interface StagePlace {
  /** As the first arm that has it calls it. */
  readonly name: string;
  readonly seed: number;
  /** Hash of everything that decides it, its seed and the stages it is made from included. */
  readonly id: string;
  readonly folder: string;
  /** File that says that the stage is finished. */
  readonly mark: "stage.json" | "cell.json";
  /** Ids of the stages that it is made from. */
  readonly needs: readonly string[];
  /** The arms that have it. */
  readonly arms: readonly string[];
}

/** A stage of an ablation with its seed: made once, whoever needs it. */
export type PlannedStage = StagePlace &
  (
    | { readonly kind: "run"; readonly config: RunConfig }
    | { readonly kind: "collect"; readonly config: CollectConfig }
    | { readonly kind: "choose"; readonly config: PlannedChoice }
  );

/** A choice with paths of products, and what they are. */
export type PlannedChoice = Choice & { readonly makes: ProductKind };

/** What later stages are given: the run folder, or the file of rows. */
export function productOf(stage: PlannedStage): string {
  return productKindOf(stage) === "run" ? stage.folder : join(stage.folder, "rows.jsonl");
}

export function productKindOf(stage: PlannedStage): ProductKind {
  return stage.kind === "choose" ? stage.config.makes : stage.kind;
}

/** What a choice writes last: which it was, and the measures of all. */
export const choiceFile = "choice.json";

/** What has to be there beside the mark. */
function resultOf({ kind }: Pick<PlannedStage, "kind">): string {
  return { run: "summary.json", collect: "collect.json", choose: choiceFile }[kind];
}

/** Whether this very stage has come to its end. */
export async function isFinished(stage: PlannedStage): Promise<boolean> {
  return (await exists(join(stage.folder, stage.mark))) && (await hasResult(stage));
}

function hasResult(stage: PlannedStage): Promise<boolean> {
  return exists(join(stage.folder, resultOf(stage)));
}

/** Marks a stage that has its result as finished; one that was stopped has none and stays as it is. */
export async function markFinished(
  stage: PlannedStage,
  seconds: number,
  computing?: Computing,
): Promise<void> {
  if (!(await hasResult(stage))) return;
  const { name, seed, id, arms, mark } = stage;
  const text = mark === "cell.json" ? { arm: arms[0], seed, id } : { name, seed, id, seconds };
  await writeFileAtomic(join(stage.folder, mark), `${JSON.stringify({ ...text, computing })}\n`);
}

/** Optimizer steps, for progress; others have none. */
export function stepsOf(stage: PlannedStage): number {
  return stage.kind === "run" ? stage.config.trainer.steps : 0;
}

/** "pairs (seed 2)", or of a plain ablation "fast, seed 2". */
export function labelOf({ name, seed, arms, mark }: PlannedStage): string {
  if (mark === "cell.json") return `${arms[0]}, seed ${seed}`;
  const of = arms.length === 1 ? arms[0] : `${arms.length} arms`;
  return `${name} of ${of}, seed ${seed}`;
}
