/** Holds a loop while somebody wants it held. */
export interface Pause {
  readonly isOn: boolean;
  /** Switches it on or off; several reasons hold the loop until the last of them is off. */
  set(on: boolean, reason?: string): void;
  /** Resolves when it is off, or when the signal is aborted. */
  untilOff(signal?: AbortSignal): Promise<void>;
}

/** A pause that is off. */
export function createPause(): Pause {
  const reasons = new Set<string>();
  const waiting = new Set<() => void>();
  return {
    get isOn() {
      return reasons.size > 0;
    },
    set(on, reason = "paused") {
      if (on) reasons.add(reason);
      else reasons.delete(reason);
      if (reasons.size > 0) return;
      for (const go of waiting) go();
      waiting.clear();
    },
    untilOff(signal) {
      if (reasons.size === 0 || signal?.aborted === true) return Promise.resolve();
      return new Promise((resolve) => {
        const go = () => {
          waiting.delete(go);
          signal?.removeEventListener("abort", go);
          resolve();
        };
        waiting.add(go);
        signal?.addEventListener("abort", go);
      });
    },
  };
}

export interface PausableOptions {
  readonly pause: Pause;
  /** Ends the loop after the step that runs, also while it is paused. */
  readonly signal?: AbortSignal;
  /** Called when the loop stops for a pause and when it goes on. */
  readonly onChange?: (isPaused: boolean) => void;
}

/**
 * The steps of a trainer, of which the next is computed only when the pause is off. A step that runs is
 * finished. What training computes does not depend on when it was paused.
 */
export async function* pausable<T>(
  steps: AsyncIterable<T>,
  { pause, signal, onChange }: PausableOptions,
): AsyncGenerator<T, void, void> {
  const hold = async () => {
    if (!pause.isOn || signal?.aborted === true) return;
    onChange?.(true);
    await pause.untilOff(signal);
    onChange?.(false);
  };
  const isStopped = () => signal?.aborted === true;
  await hold();
  if (isStopped()) return;
  for await (const step of steps) {
    yield step;
    await hold();
    if (isStopped()) return;
  }
}

/** What is used of a page. */
export interface VisiblePage {
  readonly hidden: boolean;
  addEventListener(type: "visibilitychange", listener: () => void): void;
  removeEventListener(type: "visibilitychange", listener: () => void): void;
}

/**
 * Says whether the page is hidden (another tab is in front, the window is minimised), now and whenever that
 * changes. A worker has no page: the page tells it, and it sets its {@link Pause}.
 *
 * @returns what ends it
 */
export function followVisibility(
  onChange: (isHidden: boolean) => void,
  page?: VisiblePage,
): () => void {
  const watched = page ?? (globalThis as { document?: VisiblePage }).document;
  if (watched === undefined) {
    throw new Error("There is no document: call followVisibility in the page, not in its worker.");
  }
  const tell = () => onChange(watched.hidden);
  watched.addEventListener("visibilitychange", tell);
  tell();
  return () => watched.removeEventListener("visibilitychange", tell);
}
