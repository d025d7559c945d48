/** Exit codes of a process that a signal ended: 128 and the signal's number. */
export const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const;

/** What a process is asked to end with. */
export type EndingSignal = keyof typeof exitCodes;

/** Ctrl-C and SIGTERM, from the moment that someone listens. */
export interface Interrupts extends Disposable {
  /** Aborted by the first signal after `gracefully` was called. */
  readonly signal: AbortSignal;
  /** Of the signal that came; undefined if none did. */
  exitCode(): number | undefined;
  /** From now on the first signal asks for an end and only the second one makes it. */
  gracefully(): void;
}

/**
 * Listens to them. A signal ends the process at once, with the exit code that shells expect, until
 * something is under way that can end well.
 */
export function listenForInterrupts(say: (text: string) => void): Interrupts {
  const stop = new AbortController();
  let isGraceful = false;
  let code: number | undefined;
  const onSignal = (name: EndingSignal) => {
    if (!isGraceful || stop.signal.aborted) {
      if (!isGraceful) say("Interrupted before the training began: nothing was changed.");
      process.exit(exitCodes[name]);
    }
    code = exitCodes[name];
    say("Stopping after this step; press Ctrl-C again to quit without a checkpoint.");
    stop.abort();
  };
  const names = Object.keys(exitCodes) as EndingSignal[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: stop.signal,
    exitCode: () => code,
    gracefully: () => {
      isGraceful = true;
    },
    [Symbol.dispose]: () => {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
