import { z } from "zod";

/** What `pupil ablate … executor=kubernetes-yaml kubernetes.<field>=` writes into the files. */
export const kubernetesFields = z.strictObject({
  image: z
    .string()
    .min(1)
    .default("node:20")
    .describe("Container image with Node; the package comes with the volume, or is in it."),
  claim: z
    .string()
    .min(1)
    .default("pupil")
    .describe("PersistentVolumeClaim that holds the working folder, mounted at its path here."),
  package: z
    .string()
    .min(1)
    .optional()
    .describe("Where the package is in the container. Default: its path here."),
  namespace: z.string().min(1).optional().describe("Namespace of the Job."),
  queue: z.string().min(1).optional().describe("Local queue of Kueue (kueue.x-k8s.io/queue-name)."),
  cpus: z.int().min(1).default(1).describe("Cores of a pod; a cell has as many threads."),
  memory: z.string().min(1).optional().describe("Memory of a pod, such as 4Gi."),
  gpus: z.int().min(0).default(0).describe("GPUs of a pod (nvidia.com/gpu)."),
  cellsPerTask: z.int().min(1).default(1).describe("Cells that a pod runs one after another."),
  throttle: z.int().min(1).optional().describe("Pods that run at once, at most. Default: all."),
  retries: z
    .int()
    .min(0)
    .default(2)
    .describe("How often an index that failed is run again (backoffLimitPerIndex)."),
});

export type KubernetesFields = z.output<typeof kubernetesFields>;
