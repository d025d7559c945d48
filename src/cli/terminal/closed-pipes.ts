/** Exit code of a process that SIGPIPE ended, as shells see it; Node ignores that signal. */
const exitCode = 141;

/**
 * Ends the command quietly once nobody reads what it writes (`pupil methods | head -3`). A command that can
 * stop well, such as a training, is asked to, as by Ctrl-C: it saves what it has.
 */
export function endOnClosedPipes(): void {
  let isEnding = false;
  const onError = (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    // What it says while it ends goes nowhere either.
    if (isEnding) return;
    isEnding = true;
    process.once("exit", () => {
      process.exitCode = exitCode;
    });
    if (!process.emit("SIGINT", "SIGINT")) process.exit(exitCode);
  };
  process.stdout.on("error", onError);
  process.stderr.on("error", onError);
}
