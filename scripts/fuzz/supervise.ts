import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Inputs `first` to before `end` of one target. */
export interface Job {
  readonly target: string;
  readonly first: number;
  readonly end: number;
}

export interface Fault {
  readonly target: string;
  readonly index: number;
  readonly reason: string;
}

const child = fileURLToPath(new URL("child.ts", import.meta.url));

/** How long one input may take, and how often it is looked. */
const limitMs = 20_000;
const lookEveryMs = 250;

/**
 * Runs jobs one after the other in a child process. One that hangs is killed; after that, and after
 * one that died, a new child goes on behind the input that did it.
 */
export async function runJobs(
  jobs: readonly Job[],
  seed: number,
  onFault: (fault: Fault) => void,
): Promise<void> {
  let left = [...jobs];
  while (left.length > 0) {
    const folder = mkdtempSync(join(tmpdir(), "pupil-fuzz-"));
    try {
      left = await runChild(left, seed, folder, onFault);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** Runs jobs until they are done or the child is; what is left of them. */
async function runChild(
  jobs: readonly Job[],
  seed: number,
  folder: string,
  onFault: (fault: Fault) => void,
): Promise<Job[]> {
  const [progressPath, faultsPath] = [join(folder, "progress"), join(folder, "faults")];
  const words = jobs.map(({ target, first, end }) => `${target}:${first}-${end}`);
  const options = ["--max-old-space-size=1024", "--import", "tsx", child];
  const running = spawn(
    process.execPath,
    [...options, progressPath, faultsPath, String(seed), ...words],
    // A folder of its own, as a child that is killed leaves files behind.
    { stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TMPDIR: folder } },
  );
  let complaint = "";
  running.stderr.on("data", (chunk: Buffer) => {
    complaint = (complaint + chunk.toString()).slice(-2_000);
  });
  const ended = new Promise<void>((resolve) => running.once("close", () => resolve()));
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
  let [last, since, hung] = ["", Date.now(), false];
  while (!isOver) {
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, lookEveryMs))]);
    const now = existsSync(progressPath) ? readFileSync(progressPath, "utf8").trim() : "";
    if (now !== last) [last, since] = [now, Date.now()];
    else if (now !== "" && !isOver && Date.now() - since > limitMs) {
      hung = true;
      running.kill("SIGKILL");
      await ended;
    }
  }
  last = existsSync(progressPath) ? readFileSync(progressPath, "utf8").trim() : "";
  const faults = existsSync(faultsPath) ? readFileSync(faultsPath, "utf8").split("\n") : [];
  for (const line of faults) if (line !== "") onFault(JSON.parse(line) as Fault);
  if (last === "done") return [];
  if (last === "") throw new Error(`A child did not begin: ${complaint}`);
  const [job, index] = last.split(" ").map(Number) as [number, number];
  const { target, end } = jobs[job] as Job;
  const died = /heap out of memory/.test(complaint) ? "out of memory" : complaint.slice(-300);
  // Between two targets it is the harness itself that fails.
  if (/has a fault: /.test(complaint)) throw new Error(complaint);
  onFault({ target, index, reason: hung ? "hang: 20 seconds" : `the process died: ${died}` });
  return [{ target, first: index + 1, end }, ...jobs.slice(job + 1)].filter(
    (rest) => rest.first < rest.end,
  );
}
