import { z } from "zod";

/** What `pupil ablate … executor=slurm slurm.<field>=` passes to `sbatch`. */
export const slurmFields = z.strictObject({
  partition: z.string().min(1).optional().describe("Partition, as sbatch takes it."),
  account: z.string().min(1).optional().describe("Account that is charged."),
  qos: z.string().min(1).optional().describe("Quality of service."),
  time: z
    .union([
      z.string().regex(/^[\d:-]+$/, "use minutes or days-hours:minutes:seconds"),
      z.int().min(1),
    ])
    .optional()
    .describe("Time limit of a task: minutes, hours:minutes:seconds, or days-hours."),
  memory: z
    .union([z.string().min(1), z.int().min(1)])
    .optional()
    .describe("Memory of a task, such as 4G."),
  gres: z.string().min(1).optional().describe("Generic resources of a task, such as gpu:1."),
  constraint: z.string().min(1).optional().describe("Features that a node must have."),
  cpus: z.int().min(1).default(1).describe("Cores of a task; a cell has as many threads."),
  cellsPerTask: z
    .int()
    .min(1)
    .default(1)
    .describe("Cells that a task of the array runs one after another; more where they are short."),
  throttle: z.int().min(1).optional().describe("Tasks of an array that run at once, at most."),
  inFlight: z
    .int()
    .min(1)
    .default(10_000)
    .describe("Cells that are submitted and have not ended, at most."),
  warnSeconds: z
    .int()
    .min(0)
    .default(60)
    .describe("So long before its time limit a task is told to save what it has."),
  poll: z.number().min(0.1).default(5).describe("Seconds between two looks at the queue."),
});

export type SlurmFields = z.output<typeof slurmFields>;
