/** What an executor is told beside its fields. */
export interface ExecutorPlace {
  /** Folder of batches and logs, which all machines see by this path. */
  readonly jobs: string;
  /** Working folder of every cell, likewise. */
  readonly cwd: string;
  /** What runs the cells of a task; the batch file and the task's number follow. */
  readonly taskCommand: readonly string[];
}
