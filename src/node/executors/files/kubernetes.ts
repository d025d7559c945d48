import { createHash } from "node:crypto";
import { shellWord } from "../shell-word.js";
import type { KubernetesFields } from "./fields.js";
import { toYaml } from "./yaml.js";

/** Cells that may run at once, as files of other tools name them. */
export interface TaskArray {
  /** What the cells are of. */
  readonly name: string;
  /** Which of the arrays that follow one another, from 1. */
  readonly wave: number;
  readonly tasks: number;
  /** Runs a task; its number follows. */
  readonly command: readonly string[];
  /** Working folder, which is mounted at this path. */
  readonly cwd: string;
}

/** Seconds between SIGTERM and SIGKILL: time to save a checkpoint. */
const graceSeconds = 60;

/** An indexed Job (batch/v1): a pod for every task, which mounts the working folder. */
export function kubernetesJob(array: TaskArray, fields: KubernetesFields): object {
  const { tasks, command, cwd } = array;
  const { image, claim, namespace, queue, cpus, memory, gpus, throttle, retries } = fields;
  const labels = {
    "app.kubernetes.io/name": "pupil",
    ...(queue === undefined ? {} : { "kueue.x-k8s.io/queue-name": queue }),
  };
  const resources = {
    cpu: String(cpus),
    ...(memory === undefined ? {} : { memory }),
    ...(gpus === 0 ? {} : { "nvidia.com/gpu": String(gpus) }),
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: jobName(array), ...(namespace === undefined ? {} : { namespace }), labels },
    spec: {
      completionMode: "Indexed",
      completions: tasks,
      parallelism: Math.min(tasks, throttle ?? tasks),
      backoffLimitPerIndex: retries,
      // A cell that fails for good stops no other.
      maxFailedIndexes: tasks,
      // Kueue starts it when its turn comes.
      ...(queue === undefined ? {} : { suspend: true }),
      podFailurePolicy: {
        rules: [
          // Preempted, or its node drained: no fault of the cell.
          {
            action: "Ignore",
            onPodConditions: [{ type: "DisruptionTarget", status: "True" }],
          },
        ],
      },
      template: {
        metadata: { labels: { "app.kubernetes.io/name": "pupil" } },
        spec: {
          restartPolicy: "Never",
          terminationGracePeriodSeconds: graceSeconds,
          containers: [
            {
              name: "cells",
              image,
              workingDir: cwd,
              // Kubernetes puts the index in; what only looks like a variable is escaped.
              command: [
                ...command.map((word) => word.replaceAll("$(", "$$$$(")),
                "$(JOB_COMPLETION_INDEX)",
              ],
              env: [{ name: "PUPIL_THREADS", value: String(cpus) }],
              resources: { requests: resources, limits: resources },
              volumeMounts: [{ name: "work", mountPath: cwd }],
            },
          ],
          volumes: [{ name: "work", persistentVolumeClaim: { claimName: claim } }],
        },
      },
    },
  };
}

/** A task of SkyPilot that runs one task of the array, by the variable `PUPIL_TASK`. */
export function skypilotTask(array: TaskArray, fields: KubernetesFields): object {
  const { command, cwd } = array;
  const { image, claim, cpus, memory, gpus } = fields;
  const line = command.map(shellWord).join(" ");
  return {
    name: jobName(array),
    num_nodes: 1,
    resources: {
      cpus: `${cpus}+`,
      ...(memory === undefined ? {} : { memory: `${gibibytes(memory)}+` }),
      ...(gpus === 0 ? {} : { accelerators: `GPU:${gpus}` }),
      image_id: `docker:${image}`,
    },
    envs: { PUPIL_TASK: "0", PUPIL_THREADS: String(cpus) },
    volumes: { [cwd]: claim },
    run: `cd ${shellWord(cwd)}\nexec ${line} "$PUPIL_TASK"\n`,
  };
}

export function kubernetesFile(array: TaskArray, fields: KubernetesFields): string {
  return `# kubectl apply -f this-file\n${toYaml(kubernetesJob(array, fields) as never)}`;
}

export function skypilotFile(array: TaskArray, fields: KubernetesFields): string {
  const loop = `for task in $(seq 0 ${array.tasks - 1}); do sky jobs launch --yes --detach-run --env PUPIL_TASK=$task this-file; done`;
  return `# ${loop}\n${toYaml(skypilotTask(array, fields) as never)}`;
}

/** A DNS label, the same for the same cells. */
function jobName({ name, wave, command }: TaskArray): string {
  const hash = createHash("sha256").update(command.join("\n")).digest("hex").slice(0, 6);
  const label = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return `pupil-${label.slice(0, 40)}-${wave}-${hash}`.replaceAll(/-+/g, "-");
}

const binary: Readonly<Record<string, number>> = { K: 2 ** -20, M: 2 ** -10, G: 1, T: 2 ** 10 };

/** SkyPilot counts memory in GB; of a quantity of Kubernetes, rounded up. */
function gibibytes(memory: string): number {
  const [, count = "0", unit = ""] = /^([\d.]+)([KMGT]?)i?$/i.exec(memory) ?? [];
  return Math.max(1, Math.ceil(Number(count) * (binary[unit.toUpperCase()] ?? 2 ** -30)));
}
