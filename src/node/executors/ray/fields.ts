import { z } from "zod";

/** What `pupil ablate … executor=ray ray.<field>=` passes to Ray's jobs. */
export const rayFields = z.strictObject({
  cpus: z.number().min(0).default(1).describe("Cores that a job takes (entrypoint_num_cpus)."),
  gpus: z.number().min(0).default(0).describe("GPUs that a job takes (entrypoint_num_gpus)."),
  memory: z
    .int()
    .min(1)
    .optional()
    .describe("Bytes of memory that a job takes (entrypoint_memory)."),
  workingDir: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Working folder of the cells (runtime_env): a folder here, which is uploaded as it is, or the URI of a zip. Default: this one's path, on every machine.",
    ),
  package: z
    .string()
    .min(1)
    .optional()
    .describe("Where the package is on the machines of the cluster. Default: its path here."),
  results: z
    .enum(["folder", "logs"])
    .default("folder")
    .describe(
      "How results come back: through a folder that all machines see, or, of ablations of one run per arm, with the log of the job.",
    ),
  cellsPerTask: z.int().min(1).default(1).describe("Cells that a job runs one after another."),
  inFlight: z
    .int()
    .min(1)
    .default(64)
    .describe("Cells that are submitted and have not ended, at most."),
  poll: z.number().min(0.1).default(2).describe("Seconds between two looks at the jobs."),
});

export type RayFields = z.output<typeof rayFields>;
