import { z } from "zod";
import { kubernetesFields } from "./files/fields.js";
import { rayFields } from "./ray/fields.js";
import { slurmFields } from "./slurm/fields.js";

/** Where cells run. */
export const executorNames = ["local", "slurm", "ray", "kubernetes-yaml"] as const;
export type ExecutorName = (typeof executorNames)[number];

/** The words of `pupil ablate` that say where cells run: an executor, and what is passed to its engine. */
export const executorShape = {
  executor: z
    .string()
    .default("local")
    .describe(`Where runs go: ${executorNames.join(", ")} (docs/scale.md).`),
  processes: z
    .int()
    .min(1)
    .optional()
    .describe("Runs at once on this machine. Default: the cores."),
  retries: z
    .int()
    .min(0)
    .optional()
    .describe("How often a run that a cluster lost is submitted again. Default: 2."),
  slurm: slurmFields.optional().describe("What Slurm is given, with executor=slurm."),
  ray: rayFields.optional().describe("What Ray is given, with executor=ray."),
  kubernetes: kubernetesFields
    .optional()
    .describe("What is written into the files, with executor=kubernetes-yaml."),
};

export const executorSchema = z.strictObject(executorShape);
export type ExecutorWords = z.output<typeof executorSchema>;
