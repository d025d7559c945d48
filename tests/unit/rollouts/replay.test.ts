import { describe, expect, test } from "vitest";
import {
  makeReplay,
  replaySchema,
  replayStateSchema,
  type WrittenRow,
} from "../../../src/rollouts/index.js";
import { Random } from "../../../src/tensors/index.js";

const row = (id: number): WrittenRow => ({
  rollout: { promptIds: [id], completionIds: [1], tokenLogProbs: [-0.25], finished: true },
  source: { ids: [id, 2], completionStart: 1 },
});
const idsOf = (rows: readonly WrittenRow[]) => rows.map(({ source }) => source.ids[0] as number);
const replayOf = (options: object) => makeReplay(replaySchema.parse(options));

/** Shares of the choices in 2000 steps at the same place of a training. */
function shares(options: object, rows: number, progress: number) {
  const replay = replayOf(options);
  replay.add(Array.from({ length: rows }, (_, i) => row(i)));
  const counts = { data: 0, written: 0, replayed: 0 };
  for (let i = 0; i < 2000; i++) counts[replay.choose(progress, new Random(i))] += 1 / 2000;
  return counts;
}

describe("whose rows a step learns", () => {
  test("are the data's until the validation loss has risen", () => {
    expect(shares({}, 0, 0)).toMatchObject({ written: 0, replayed: 0 });
  });

  test("are written, not replayed, while the buffer has room", () => {
    const { written, replayed } = shares({ threshold: 0.6, capacity: 4 }, 3, 0.9);
    expect(written).toBeCloseTo(0.6, 1);
    expect(replayed).toBe(0);
  });

  test.each([
    ["decreasing", 0.6 * 0.25],
    ["constant", 0.6 * 0.5],
    ["increasing", 0.6 * 0.75],
  ])("are, once it is full, written anew as a %s share", (schedule, expected) => {
    const { written, replayed } = shares({ threshold: 0.6, capacity: 4, schedule }, 4, 0.75);
    expect(Math.abs(written - expected)).toBeLessThan(0.03);
    expect(Math.abs(replayed - (0.6 - expected))).toBeLessThan(0.03);
  });
});

test("the threshold rises with a loss that is worse than the last one that counted", () => {
  const replay = replayOf({ threshold: 0.75, increase: 0.125, tolerance: 0.5 });
  const after = [2, 1, 2.4, 2.5, 2.9, 3, 9].map((loss) => {
    replay.observe(loss);
    return replay.state().threshold;
  });
  // 1 is better than 2 and does not take its place; 2.5 does, and 3; then the threshold is at its most.
  expect(after).toEqual([0.75, 0.75, 0.75, 0.875, 0.875, 1, 1]);
  expect(replay.state().validationLoss).toBe(9);
});

test("keeps the last rows and draws different ones", () => {
  const replay = replayOf({ capacity: 5 });
  replay.add([0, 1, 2].map(row));
  replay.add([3, 4, 5, 6].map(row));
  expect(idsOf(replay.state().rows)).toEqual([2, 3, 4, 5, 6]);
  const drawn = idsOf(replay.draw(4, new Random(1)));
  expect(new Set(drawn).size).toBe(4);
  expect(drawn.every((id) => id >= 2)).toBe(true);
  expect(idsOf(replay.draw(4, new Random(2)))).not.toEqual(drawn);
});

test("goes on from its state as if it had not been saved", () => {
  const options = replaySchema.parse({ threshold: 0.5, capacity: 3, tolerance: 0 });
  const replay = makeReplay(options);
  replay.add([0, 1, 2, 3].map(row));
  replay.observe(1);
  const saved = replayStateSchema.parse(JSON.parse(JSON.stringify(replay.state())));
  const other = makeReplay(options, saved);
  for (const one of [replay, other]) {
    one.observe(1.5);
    one.add([row(4)]);
  }
  expect(other.state()).toEqual(replay.state());
  expect(other.state().threshold).toBeCloseTo(0.6);
});
