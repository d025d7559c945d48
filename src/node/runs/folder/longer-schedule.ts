import type { RunConfig } from "../../../config/index.js";
import { PupilError } from "../../../errors/index.js";
import { learningRateAt } from "../../../optim/index.js";

type Trainer = RunConfig["trainer"];

const rate = (value: number) => String(Number(value.toPrecision(3)));

/**
 * What another number of steps does to the learning rate of a run that continues: its schedule is a
 * function of the step and of all steps, and no step is done again.
 *
 * @param before the number of steps that the run had
 * @param step how many of them are done
 * @throws PupilError if there are to be fewer than were done
 */
export function describeSchedule(before: number, trainer: Trainer, step: number): string[] {
  const { steps, schedule } = trainer;
  if (steps < step) {
    throw new PupilError(`is ${steps}, but ${step} steps are done.`, {
      field: "trainer.steps",
      value: steps,
      remedy: `Give ${step} or more, or remove the checkpoints after step ${steps}.`,
    });
  }
  if (steps === before || step === steps) return [];
  const last = step === 0 ? undefined : learningRateAt(step - 1, before, trainer);
  const next = learningRateAt(step, steps, trainer);
  const change =
    last === undefined || rate(last) === rate(next)
      ? `goes on at ${rate(next)}`
      : `was ${rate(last)} at step ${step} and is ${rate(next)} at step ${step + 1}`;
  const end = learningRateAt(steps - 1, steps, trainer);
  return [
    `trainer.steps is ${steps} now and was ${before}. The ${schedule} schedule is that of ${steps} steps from here on: ` +
      `the learning rate ${change}, and ends at ${rate(end)}.`,
  ];
}
