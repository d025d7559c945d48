import { attach, type AttachEvent, cancelJobs, type JobState } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

/** `pupil ablate <folder> attach`: shows an ablation that another process runs. */
export async function attachCommand(folder: string): Promise<void> {
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.on("SIGINT", onInterrupt);
  let command = "";
  let done = 0;
  let cells = 0;
  const report = (event: AttachEvent) => {
    if (event.type === "begin") {
      ({ command, done, cells } = event);
      const who = event.isRunning ? "is running" : "is not running now";
      say(`${folder} ${who}, by executor=${event.executor}: ${done}/${cells} done.`);
      say(`Started with: ${command}`);
    } else if (event.type === "job")
      say(`${event.label}: job ${event.job} ${stateText(event.state)}`);
    else if (event.type === "row") {
      if (event.row.type === "ended" && event.row.how === "done") done += 1;
      for (const line of rowLines(event, `${done}/${cells} done`)) say(line);
    } else say(endText(event.why, command));
  };
  try {
    await attach(folder, { signal: stop.signal, report });
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

/** `pupil ablate <folder> cancel`: takes its jobs out of the cluster. */
export async function cancelCommand(folder: string): Promise<void> {
  const jobs = await cancelJobs(folder);
  say(
    jobs === 0
      ? "No job was in flight."
      : `${jobs} jobs were told to end; they save what they have.`,
  );
}

const say = (line: string) => writeLine(process.stdout, line);

function stateText(state: JobState | undefined): string {
  if (state === undefined) return "is in flight";
  if (state.type === "waiting") return `waits${state.why === undefined ? "" : ` (${state.why})`}`;
  if (state.type === "running") return `runs${state.node === undefined ? "" : ` on ${state.node}`}`;
  return "message" in state ? state.message : "has ended";
}

const endings = {
  done: "done",
  failed: "failed",
  again: "is submitted again",
  cancelled: "was cancelled",
  stopped: "was ended early by the rule",
} as const;

function rowLines({ row, labels }: AttachEvent & { type: "row" }, status: string): string[] {
  if (row.type === "submitted") return labels.map((label, i) => `${label}: job ${row.jobs[i]}`);
  if (row.type !== "ended") return [];
  const why = row.message === undefined ? "" : `: ${row.message.split("\n")[0]}`;
  return [`${labels[0]} ${endings[row.how]}${why}; ${status}`];
}

function endText(why: "closed" | "left" | "gone", command: string): string {
  if (why === "closed") return "It has come to its end.";
  const what = why === "left" ? "Its jobs go on without it." : "Nobody looks after it now.";
  return `${what} Continue with: ${command}`;
}
