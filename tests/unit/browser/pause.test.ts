import { describe, expect, test } from "vitest";
import {
  createPause,
  followVisibility,
  pausable,
  type VisiblePage,
} from "../../../src/browser/index.js";

/** Lets everything that is ready run. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

/** Counts what is computed, as a trainer does that is asked for its next step. */
function trainer(count: number) {
  const computed: number[] = [];
  let ended = false;
  async function* steps() {
    try {
      for (let step = 1; step <= count; step++) {
        computed.push(step);
        yield await Promise.resolve(step);
      }
    } finally {
      ended = true;
    }
  }
  return { computed, steps: steps(), hasEnded: () => ended };
}

describe("a paused loop", () => {
  test("computes no step until it goes on, and then all of them in order", async () => {
    const pause = createPause();
    const { computed, steps } = trainer(5);
    const changes: boolean[] = [];
    const seen: number[] = [];
    const running = (async () => {
      for await (const step of pausable(steps, { pause, onChange: (on) => changes.push(on) })) {
        seen.push(step);
        if (step === 2) pause.set(true);
      }
    })();
    await settle();
    expect([computed, seen, changes]).toEqual([[1, 2], [1, 2], [true]]);
    pause.set(false);
    await running;
    expect([seen, changes]).toEqual([
      [1, 2, 3, 4, 5],
      [true, false],
    ]);
  });

  test("that is paused before it begins computes nothing", async () => {
    const pause = createPause();
    pause.set(true);
    const { computed, steps } = trainer(1);
    const first = pausable(steps, { pause }).next();
    await settle();
    expect(computed).toEqual([]);
    pause.set(false);
    expect(await first).toEqual({ done: false, value: 1 });
  });

  test("waits for every reason to be gone", async () => {
    const pause = createPause();
    pause.set(true, "hidden");
    pause.set(true, "button");
    let isOff = false;
    const off = pause.untilOff().then(() => {
      isOff = true;
    });
    pause.set(false, "hidden");
    await settle();
    expect([pause.isOn, isOff]).toEqual([true, false]);
    pause.set(false, "button");
    await off;
    expect(pause.isOn).toBe(false);
  });

  test("is ended by its signal, and ends its trainer", async () => {
    const pause = createPause();
    const stop = new AbortController();
    const { computed, steps, hasEnded } = trainer(5);
    const seen: number[] = [];
    const running = (async () => {
      for await (const step of pausable(steps, { pause, signal: stop.signal })) {
        seen.push(step);
        pause.set(true);
      }
    })();
    await settle();
    stop.abort();
    await running;
    expect([computed, seen, hasEnded()]).toEqual([[1], [1], true]);
  });

  test("ends with an aborted signal without a step", async () => {
    const { computed, steps } = trainer(5);
    const loop = pausable(steps, { pause: createPause(), signal: AbortSignal.abort() });
    expect(await loop.next()).toEqual({ done: true, value: undefined });
    expect(computed).toEqual([]);
  });

  test("that the caller leaves ends its trainer", async () => {
    const { steps, hasEnded } = trainer(5);
    for await (const step of pausable(steps, { pause: createPause() })) if (step === 2) break;
    expect(hasEnded()).toBe(true);
  });
});

test("followVisibility tells what is, what changes, and stops", () => {
  const target = new EventTarget();
  const page = Object.assign(target, { hidden: true }) as VisiblePage & { hidden: boolean };
  const seen: boolean[] = [];
  const end = followVisibility((isHidden) => seen.push(isHidden), page);
  const become = (hidden: boolean) => {
    page.hidden = hidden;
    target.dispatchEvent(new Event("visibilitychange"));
  };
  become(false);
  become(true);
  end();
  become(false);
  expect(seen).toEqual([true, false, true]);
});

test("followVisibility has no page in a worker", () => {
  expect(() => followVisibility(() => {})).toThrow("call followVisibility in the page");
});
