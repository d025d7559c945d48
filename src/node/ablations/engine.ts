import { isAbsolute, join, relative, resolve } from "node:path";
import { PupilError } from "../../errors/index.js";
import { batchPath, numTasks, writeBatch } from "../executors/batches.js";
import { createExecutor } from "../executors/create-executor.js";
import type { ExecutorWords } from "../executors/fields.js";
import type { KubernetesFields } from "../executors/files/fields.js";
import { kubernetesFile, skypilotFile, type TaskArray } from "../executors/files/kubernetes.js";
import { writeFileAtomic } from "../files/atomic.js";
import type { AblationPlan } from "./planned.js";
import { programWords } from "./stages/program-words.js";
import { jobsFolder, type StageEngine } from "./stages/run-stages.js";
import { isFinished, type PlannedStage } from "./stages/stage.js";
import { stageCells } from "./stages/stage-cells.js";

/** How often a stage that a cluster lost is handed over again. */
const defaultRetries = 2;

/**
 * The engine that words of `pupil ablate` name; undefined for processes of this machine.
 *
 * @throws PupilError for what the executor does not know, or cannot do for this ablation
 */
export async function stageEngine(
  words: ExecutorWords,
  plan: Pick<AblationPlan, "folder" | "stop">,
): Promise<StageEngine | undefined> {
  // What is somewhere else on the machines of the cluster is only known there.
  const place = words.ray?.package;
  const jobs = resolve(jobsFolder(plan.folder));
  const cwd = process.cwd();
  const made = await createExecutor(words, {
    jobs,
    cwd,
    taskCommand: programWords("run-task", place),
  });
  if (made === undefined) return undefined;
  const { executor, fields } = made;
  const { cellsPerTask, workingDir, results } = fields as {
    cellsPerTask: number;
    workingDir?: string;
    results?: string;
  };
  if (plan.stop !== undefined && (cellsPerTask > 1 || results === "logs")) {
    throw new PupilError("a rule that ends runs early needs a task and a folder for each.", {
      field: `${executor.name}.${cellsPerTask > 1 ? "cellsPerTask" : "results"}`,
      value: cellsPerTask > 1 ? cellsPerTask : results,
      remedy: 'Leave it out, or "stop" of the ablation.',
    });
  }
  if (workingDir !== undefined && results === "folder" && !isAbsolute(plan.folder)) {
    throw new PupilError("is read from a copy of the working folder on the cluster.", {
      ...{ field: "output", value: plan.folder },
      remedy: "Give it as an absolute path that all machines see, or use ray.results=logs.",
    });
  }
  return {
    ...{ executor, fields, command: programWords("stage-process", place) },
    retries: words.retries ?? defaultRetries,
  };
}

/** Files of an ablation's cells for tools that submit them. */
export interface WrittenFiles {
  readonly files: readonly string[];
  /** Cells that they run. */
  readonly cells: number;
}

/**
 * Writes what is left of an ablation as indexed Jobs of Kubernetes and tasks of SkyPilot: one of each for the stages that
 * need no other, then for those that need these, and so on. Nothing is submitted.
 *
 * @throws PupilError where the ablation's folder is not in the working folder, which is what the pods mount
 */
export async function writeTaskFiles(
  plan: AblationPlan,
  fields: KubernetesFields,
): Promise<WrittenFiles> {
  const cwd = process.cwd();
  const { name, folder, stages } = plan;
  if (relative(cwd, resolve(folder)).startsWith("..")) {
    throw new PupilError("lies outside of the working folder, which is what the pods mount.", {
      ...{ field: "output", value: folder, remedy: "Name a folder in it." },
    });
  }
  if (plan.stop !== undefined) {
    throw new PupilError("needs somebody who looks at the runs and ends them; files do not.", {
      field: "stop",
      remedy: "Leave it out, or use executor=slurm or executor=ray.",
    });
  }
  const jobs = resolve(jobsFolder(folder));
  const command = ["node", ...programWords("stage-process", fields.package).slice(1)];
  const runTask = ["node", ...programWords("run-task", fields.package).slice(1)];
  const cellOf = stageCells({
    jobs,
    command,
    executor: { name: "kubernetes-yaml", sharesFolder: true },
  });
  const files: string[] = [];
  let cells = 0;
  for (const [i, wave] of (await wavesOf(stages)).entries()) {
    const { cellsPerTask } = fields;
    const commands = await Promise.all(wave.map((stage) => cellOf(stage).prepare()));
    const batch = batchPath(jobs, `wave-${i + 1}`);
    await writeBatch(batch, { cwd, cellsPerTask, cells: commands });
    const array: TaskArray = {
      ...{ name, wave: i + 1, cwd, tasks: numTasks(wave.length, cellsPerTask) },
      command: [...runTask, batch],
    };
    const written: [string, string][] = [
      [`kubernetes-${i + 1}.yaml`, kubernetesFile(array, fields)],
      [`skypilot-${i + 1}.yaml`, skypilotFile(array, fields)],
    ];
    for (const [file, text] of written) {
      await writeFileAtomic(join(folder, file), text);
      files.push(join(folder, file));
    }
    cells += wave.length;
  }
  return { files, cells };
}

/** The stages that are not finished, by how many others come before them. */
async function wavesOf(stages: readonly PlannedStage[]): Promise<PlannedStage[][]> {
  const waves: PlannedStage[][] = [];
  const waveOf = new Map<string, number>();
  for (const stage of stages) {
    if (await isFinished(stage)) continue;
    const wave = Math.max(-1, ...stage.needs.map((id) => waveOf.get(id) ?? -1)) + 1;
    waveOf.set(stage.id, wave);
    (waves[wave] ??= []).push(stage);
  }
  return waves;
}
