import type { JobState } from "../executor.js";

/** States of Slurm by what they mean here; those of a job that will still run, or runs, are the first two. */
const waiting = [
  "PENDING",
  "CONFIGURING",
  "REQUEUED",
  "REQUEUE_FED",
  "REQUEUE_HOLD",
  "SPECIAL_EXIT",
];
const running = [
  "RUNNING",
  "COMPLETING",
  "SUSPENDED",
  "STOPPED",
  "RESIZING",
  "SIGNALING",
  "STAGE_OUT",
];
const failed = ["FAILED", "OUT_OF_MEMORY", "TIMEOUT", "DEADLINE"];

/**
 * A state as `squeue %T` and `sacct State` write it.
 *
 * @param reason why a job waits, or how it ended
 */
export function stateOf(text: string, node: string, reason: string): JobState {
  // "CANCELLED by 1000", and a "+" where sacct cut the name.
  const [name = ""] = text.replace("+", "").split(" ");
  const at = isNode(node) ? { node } : {};
  const why = isSaid(reason) ? { why: reason } : {};
  const because = isSaid(reason) ? ` (${reason})` : "";
  if (waiting.includes(name)) return { type: "waiting", ...why };
  if (running.includes(name)) return { type: "running", ...at };
  if (name === "COMPLETED") return { type: "ended", ...at };
  if (name === "CANCELLED") return { type: "cancelled", message: `Slurm says ${text}.` };
  const where = isNode(node) ? ` on ${node}` : "";
  const message = `Slurm says ${name}${where}${because}.`;
  return failed.includes(name)
    ? { type: "failed", message, ...at }
    : { type: "lost", message, ...at };
}

const isNode = (node: string) => node !== "" && !/^(\(null\)|None assigned|n\/a)$/i.test(node);
const isSaid = (reason: string) => !["", "None", "(null)", "0:0"].includes(reason);

/** Lines of `squeue --format=%i|%T|%N|%r`, by job. */
export function parseSqueue(text: string): Map<string, JobState> {
  const found = new Map<string, JobState>();
  for (const line of text.split("\n")) {
    const [job = "", state = "", node = "", reason = ""] = line.trim().split("|");
    if (state !== "") found.set(job, stateOf(state, node, reason));
  }
  return found;
}

/**
 * Lines of `sacct --parsable2 --format=JobID,State,NodeList,ExitCode`, by job; a requeued job's last line counts. Its
 * `--array` would list tasks that wait one by one, but Slurm 22.05 has no such option.
 */
export function parseSacct(text: string): Map<string, JobState> {
  const found = new Map<string, JobState>();
  for (const line of text.split("\n")) {
    const [job = "", state = "", node = "", exit = ""] = line.trim().split("|");
    if (state === "") continue;
    const how = exit === "0:0" || exit === "" ? "" : `exit code ${exit}`;
    for (const task of tasksOf(job)) found.set(task, stateOf(state, node, how));
  }
  return found;
}

/** `7_[0-2,5%1]`: the tasks of an array that wait, as one. */
function tasksOf(job: string): string[] {
  const [, array = "", list] = /^(\d+)_\[([\d,-]+)(?:%\d+)?\]$/.exec(job) ?? [];
  if (list === undefined) return [job];
  return list.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => `${array}_${first + i}`);
  });
}

/** The arrays that `squeue` or `sacct` list, each once. */
export function parseArrays(text: string): string[] {
  const arrays = text.split("\n").map((line) => line.trim().split(/[_.]/)[0] ?? "");
  return [...new Set(arrays.filter((id) => /^\d+$/.test(id)))];
}

/** `MaxArraySize = 1001` of `scontrol show config`: the largest index is one less. */
export function parseMaxArray(text: string): number | undefined {
  const found = /^MaxArraySize\s*=\s*(\d+)/m.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
