import { createHash } from "node:crypto";
import pLimit from "p-limit";
import { PupilError } from "../../../errors/index.js";
import { batchPath, numTasks, taskOf, writeBatch } from "../batches.js";
import {
  type CellCommand,
  EngineAwayError,
  type Executor,
  type JobState,
  pause,
} from "../executor.js";
import type { ExecutorPlace } from "../place.js";
import { shellWord } from "../shell-word.js";
import type { RayFields } from "./fields.js";
import { type AskRay, type RayAnswer, rayHttp } from "./ray-http.js";
import { zipFolder } from "./zip.js";

/** Requests at once: each costs Ray's head node some milliseconds. */
const requestsAtOnce = 8;

/**
 * Ray by the REST interface of its jobs, a job for every task of `cellsPerTask` cells.
 *
 * @throws PupilError where the environment names no cluster
 */
export async function rayExecutor(
  fields: RayFields,
  { jobs: folder, cwd, taskCommand }: ExecutorPlace,
  ask: AskRay = rayHttp(),
): Promise<Executor> {
  const { cellsPerTask, results } = fields;
  const sharesFolder = results === "folder";
  if (!sharesFolder && cellsPerTask > 1) {
    throw new PupilError("results come back with the log of one cell at a time.", {
      ...{ field: "ray.cellsPerTask", value: cellsPerTask },
      remedy: "Leave it out, or use ray.results=folder.",
    });
  }
  const limit = pLimit(requestsAtOnce);
  const workingDir = await workingDirOf(fields.workingDir, ask);
  // An uploaded folder is where Ray starts a job; else it has to be gone to.
  const enter = workingDir === undefined ? `cd ${shellWord(cwd)} && ` : "";

  const entrypoint = (task: number, batch: string, cells: readonly CellCommand[]) => {
    const words = sharesFolder
      ? [...taskCommand, batch, String(task)]
      : (cells[task] as CellCommand).command;
    return `${enter}exec ${words.map(shellWord).join(" ")}`;
  };

  const submitTask = async (id: string, command: string): Promise<void> => {
    const answer = await ask("POST", "/api/jobs/", {
      ...{ entrypoint: command, submission_id: id, metadata: { by: "pupil" } },
      entrypoint_num_cpus: fields.cpus,
      ...(fields.gpus === 0 ? {} : { entrypoint_num_gpus: fields.gpus }),
      ...(fields.memory === undefined ? {} : { entrypoint_memory: fields.memory }),
      runtime_env: {
        env_vars: { PUPIL_THREADS: String(Math.max(1, Math.floor(fields.cpus))) },
        ...(workingDir === undefined ? {} : { working_dir: workingDir }),
      },
    });
    if (answer.status === 200) return;
    // A submission that it has is an error of the server, with a traceback: whether it is that one, it knows.
    const known = await ask("GET", `/api/jobs/${id}`);
    if (known.status === 200) return;
    throw refused("a job", answer);
  };

  const stateOfJob = async (job: string): Promise<JobState> => {
    const answer = await ask("GET", `/api/jobs/${job}`);
    if (answer.status === 404) return { type: "lost", message: "Ray no longer knows the job." };
    if (answer.status !== 200) throw refused("the state of a job", answer);
    return rayState(JSON.parse(answer.text) as RayJob);
  };

  return {
    ...{ name: "ray", outlivesRunner: true, sharesFolder, capacity: fields.inFlight },
    batch: fields.inFlight,
    async submit(cells, { key }) {
      const batch = batchPath(folder, key);
      // A job of Ray's sees its own copy of a folder that was uploaded.
      const where = workingDir === undefined ? cwd : ".";
      if (sharesFolder) await writeBatch(batch, { cwd: where, cellsPerTask, cells });
      const tasks = Array.from({ length: numTasks(cells.length, cellsPerTask) }, (_, i) => i);
      const nameOf = (task: number) => `${key}-${task}`;
      await Promise.all(
        tasks.map((task) => limit(() => submitTask(nameOf(task), entrypoint(task, batch, cells)))),
      );
      return cells.map((_, i) => nameOf(taskOf(i, cellsPerTask)));
    },
    async states(jobs) {
      const found = await Promise.all(
        jobs.map((job) => limit(async () => [job, await stateOfJob(job)] as const)),
      );
      return new Map(found);
    },
    async cancel(jobs) {
      await Promise.all(
        jobs.map((job) =>
          limit(async () => {
            const answer = await ask("POST", `/api/jobs/${job}/stop`);
            // One that it does not know, or that has ended, needs no stopping.
            if (![200, 404].includes(answer.status)) throw refused("to stop a job", answer);
          }),
        ),
      );
    },
    async logs(job) {
      const answer = await ask("GET", `/api/jobs/${job}/logs`);
      if (answer.status !== 200) return "";
      return (JSON.parse(answer.text) as { logs?: string }).logs ?? "";
    },
    changed: (signal) => pause(fields.poll * 1000, signal),
    cancelCommand: (jobs) => jobs.map((job) => `ray job stop ${job}`).join("; "),
  };
}

/** What Ray tells of a job, as far as it is read. */
export interface RayJob {
  readonly status: string;
  readonly message?: string | null;
  readonly driver_exit_code?: number | null;
  readonly driver_node_id?: string | null;
}

export function rayState({
  status,
  message,
  driver_exit_code: code,
  driver_node_id: id,
}: RayJob): JobState {
  const node = typeof id === "string" ? { node: id } : {};
  const said = message ?? "";
  switch (status) {
    case "PENDING":
      return { type: "waiting", ...(said === "" ? {} : { why: said }) };
    case "RUNNING":
      return { type: "running", ...node };
    case "SUCCEEDED":
      return { type: "ended", ...node };
    case "STOPPED":
      return { type: "cancelled", message: `Ray says STOPPED: ${said}` };
    default: {
      const how = typeof code === "number" ? `exit code ${code}` : "no exit code";
      const text = `Ray says ${status} (${how}): ${said}`;
      // A driver that never came to an exit code died with its node, or with the head.
      const type = typeof code === "number" ? "failed" : "lost";
      return { type, message: text, ...node };
    }
  }
}

/** The URI of the working folder; one that is here is uploaded, unless the cluster has these very bytes. */
async function workingDirOf(given: string | undefined, ask: AskRay): Promise<string | undefined> {
  if (given === undefined || /^[a-z][a-z0-9+.-]*:\/\//i.test(given)) return given;
  const archive = await zipFolder(given);
  const hash = createHash("sha256").update(archive).digest("hex").slice(0, 16);
  const name = `_ray_pkg_${hash}.zip`;
  const path = `/api/packages/gcs/${name}`;
  const known = await ask("GET", path);
  if (known.status !== 200) {
    const answer = await ask("PUT", path, archive);
    if (answer.status !== 200) throw refused("the working folder", answer);
  }
  return `gcs://${name}`;
}

function refused(what: string, { status, text }: RayAnswer): PupilError {
  const lines = text.trim().split("\n");
  const said = `Ray answered ${status} to ${what}: ${lines.at(-1)?.slice(0, 500) ?? ""}`;
  // A head that has just started has no agent yet; behind a proxy one that restarts is a bad gateway.
  // So does one that ends, in words of the web framework's; a submit that Ray itself refuses has a traceback.
  const passes = /no available agent|try again later|server got itself in trouble/i;
  if ((status === 500 && passes.test(text)) || [502, 503, 504].includes(status)) {
    return new EngineAwayError(said, { field: "RAY_ADDRESS" });
  }
  return new PupilError(said, {
    field: "ray",
    remedy: "Look at the dashboard, or at the logs of the head node.",
  });
}
