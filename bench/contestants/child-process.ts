import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";

const running = new Set<ChildProcess>();

/** A process that answers JSON lines with JSON lines. It never outlives this one. */
export class LineProcess {
  private readonly child: ChildProcess;
  private readonly lines: Interface;
  private readonly command: string;
  private errors = "";

  constructor(command: string, args: readonly string[]) {
    this.command = [command, ...args].join(" ");
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    this.child = child;
    running.add(child);
    child.on("exit", () => running.delete(child));
    child.stdin.on("error", () => {
      // The answer, or its absence, tells.
    });
    child.stderr.on("data", (data: Buffer) => {
      this.errors = (this.errors + data.toString()).slice(-4000);
    });
    this.lines = createInterface({ input: child.stdout });
  }

  /** The next line that the process prints; throws if it ends first. */
  async next<T>(): Promise<T> {
    const abort = new AbortController();
    try {
      const { signal } = abort;
      const line = once(this.lines, "line", { signal }) as Promise<[string]>;
      const end = once(this.child, "close", { signal }).then(() => undefined);
      const result = await Promise.race([line, end]);
      line.catch(() => undefined);
      end.catch(() => undefined);
      if (result === undefined) throw new Error(`${this.command} ended:\n${this.errors}`);
      return JSON.parse(result[0]) as T;
    } finally {
      abort.abort();
    }
  }

  async ask<T>(request: object): Promise<T> {
    const answer = this.next<T>();
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    return answer;
  }

  stop(): void {
    this.child.kill("SIGKILL");
  }
}

/** Ends all children when this process ends, whichever way it does. */
export function endChildrenWithProcess(): void {
  process.on("exit", () => {
    for (const child of running) child.kill("SIGKILL");
  });
  // A killed npm or loader does not pass its signal on.
  const first = ancestors();
  setInterval(() => {
    if (ancestors() !== first) process.exit(1);
  }, 500).unref();
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.on(signal, () => process.exit(code));
  }
}

/** Ids of the parent (the loader) and of its parent (npm's shell), where the system shows it. */
function ancestors(): string {
  const { ppid } = process;
  const stat = `/proc/${ppid}/stat`;
  if (!existsSync(stat)) return String(ppid);
  // "pid (name) state parent …"
  const [, parent] = readFileSync(stat, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return `${ppid} ${parent}`;
}
