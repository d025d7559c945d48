import { expect, test } from "vitest";
import { learningRateAt } from "../../../../../src/optim/index.js";
import { describeSchedule } from "../../../../../src/node/runs/folder/longer-schedule.js";
import { tinyRun } from "../../../../setup/runs/runs.js";

const trainerOf = (steps: number, changes: object = {}) =>
  tinyRun("runs", {
    trainer: {
      type: "sft",
      steps,
      warmupSteps: 0,
      learningRate: 0.1,
      schedule: "linear",
      ...changes,
    },
  }).trainer;
const rate = (value: number) => String(Number(value.toPrecision(3)));

test("another number of steps is told with the rates before, behind and at the end", () => {
  const trainer = trainerOf(20);
  const [note, ...others] = describeSchedule(10, trainer, 10);
  expect(others).toEqual([]);
  const [last, next] = [learningRateAt(9, 10, trainer), learningRateAt(10, 20, trainer)];
  expect(rate(last)).not.toBe(rate(next));
  expect(note).toBe(
    "trainer.steps is 20 now and was 10. The linear schedule is that of 20 steps from here on: the learning rate " +
      `was ${rate(last)} at step 10 and is ${rate(next)} at step 11, and ends at ${rate(learningRateAt(19, 20, trainer))}.`,
  );
});

test("a rate that stays goes on; so does one of which there was none yet", () => {
  const constant = trainerOf(20, { schedule: "constant" });
  expect(describeSchedule(10, constant, 4)[0]).toMatch(
    /the learning rate goes on at 0\.1, and ends at 0\.1\.$/,
  );
  expect(describeSchedule(10, trainerOf(20), 0)[0]).toContain(
    `goes on at ${rate(learningRateAt(0, 20, trainerOf(20)))}, and`,
  );
});

test("nothing where nothing changes or nothing is left, and fewer than were done is refused", () => {
  expect(describeSchedule(10, trainerOf(10), 4)).toEqual([]);
  expect(describeSchedule(10, trainerOf(6), 6)).toEqual([]);
  expect(describeSchedule(10, trainerOf(6), 5)).toHaveLength(1);
  expect(() => describeSchedule(10, trainerOf(6), 7)).toThrow(
    /trainer\.steps: is 6, but 7 steps are done\. Give 7 or more/,
  );
});
