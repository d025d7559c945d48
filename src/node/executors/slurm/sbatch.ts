import { shellWord } from "../shell-word.js";
import type { SlurmFields } from "./fields.js";

export interface SbatchOptions {
  /** Name of the array, by which it is found again. */
  readonly key: string;
  readonly tasks: number;
  /** Folder of the logs, a file for each task. */
  readonly logs: string;
  readonly cwd: string;
  readonly exclude: readonly string[];
}

/** The words of `sbatch` for an array of tasks. */
export function sbatchWords(fields: SlurmFields, options: SbatchOptions): string[] {
  const { key, tasks, logs, cwd, exclude } = options;
  const { throttle, warnSeconds, time } = fields;
  const passed: Record<string, string | number | undefined> = {
    partition: fields.partition,
    account: fields.account,
    qos: fields.qos,
    time,
    mem: fields.memory,
    gres: fields.gres,
    constraint: fields.constraint,
    exclude: exclude.length === 0 ? undefined : exclude.join(),
  };
  return [
    ...["--parsable", `--job-name=${key}`],
    `--array=0-${tasks - 1}${throttle === undefined ? "" : `%${throttle}`}`,
    ...["--nodes=1", "--ntasks=1", `--cpus-per-task=${fields.cpus}`],
    // A task that is preempted, or whose node fails, goes back into the queue and its cells go on.
    ...["--requeue", "--open-mode=append"],
    ...(time === undefined || warnSeconds === 0 ? [] : [`--signal=B:TERM@${warnSeconds}`]),
    ...[`--chdir=${cwd}`, `--output=${logs}/%A_%a.log`],
    ...Object.entries(passed).flatMap(([name, value]) =>
      value === undefined ? [] : [`--${name}=${value}`],
    ),
  ];
}

/** The script of every task; the shell becomes the program, so that signals reach it. */
export function sbatchScript(command: readonly string[], { cpus }: SlurmFields): string {
  return [
    "#!/bin/sh",
    `export PUPIL_THREADS=${cpus}`,
    `exec ${command.map(shellWord).join(" ")} "$SLURM_ARRAY_TASK_ID"`,
    "",
  ].join("\n");
}
