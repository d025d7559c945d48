import { PupilError } from "../../errors/index.js";
import type { StepJudgement, TaskDefinition } from "../tasks/define.js";
import {
  type HierarchicalTemplate,
  readHierarchical,
  writeStep,
  writeSummary,
} from "./hierarchical-template.js";

/**
 * A task whose solutions are written in the hierarchical template: steps with their keys, a summary, the
 * bare answer. It judges and goes on with what is written so; steps without their marks are read too.
 *
 * @throws PupilError for a task that cannot judge steps and go on with them; whose steps are no lines, or
 *   that does not read a bare answer, where the first solution is written
 */
export function templatedTask(
  task: TaskDefinition,
  template: HierarchicalTemplate,
): TaskDefinition {
  const { checkSteps, continueFrom, name } = task;
  if (checkSteps === undefined || continueFrom === undefined) {
    throw unfit(name, "has no steps that it judges and goes on with");
  }
  const read = (text: string) => readHierarchical(text, template);
  const stepsOf = (problem: unknown, body: string) =>
    checkSteps(problem, body).map((step) => ({ ...step, text: body.slice(step.start, step.end) }));
  const summaryOf = (problem: unknown, body: string) =>
    writeSummary(
      stepsOf(problem, body).map(({ text }) => text),
      template,
    );
  const write = (problem: unknown, body: string, last: string) => {
    const written = stepsOf(problem, body).map(({ text }) => writeStep(text, template));
    return [...written, summaryOf(problem, body), last].join("\n");
  };
  return {
    ...task,
    alphabet(config) {
      const marks = [template.step, template.summary].map((text) => text.replace(/\{\w+\}/g, ""));
      return [...new Set([task.alphabet(config), ...marks, "\n"].join(""))].join("");
    },
    oracle(problem, config, random) {
      const answer = task.answer(problem);
      if (!task.verify(problem, answer).correct) throw unfit(name, "does not read a bare answer");
      const body = task.oracle(problem, config, random);
      const lines = stepsOf(problem, body).map(({ text }) => text);
      if (lines.join("\n") !== body) throw unfit(name, "does not write its steps as lines");
      return write(problem, body, task.verify(problem, body).answer ?? "");
    },
    verify(problem, completion) {
      const { body, summary, after } = read(completion);
      const steps = task.verify(problem, body);
      const last = after.at(-1)?.text;
      return {
        ...(last === undefined ? steps : task.verify(problem, last)),
        traceCorrect:
          steps.traceCorrect &&
          summary !== undefined &&
          completion === write(problem, body, task.answer(problem)),
      };
    },
    checkSteps(problem, completion) {
      const { body, summary, after, placeOf } = read(completion);
      const steps = stepsOf(problem, body);
      const judged = steps.map(
        ({ start, end, correct }): StepJudgement => ({ ...placeOf(start, end), correct }),
      );
      if (summary === undefined) return judged;
      const isSummed =
        steps.every(({ correct }) => correct) &&
        task.verify(problem, body).correct &&
        summary.text === summaryOf(problem, body);
      const answer = task.answer(problem);
      return [
        ...judged,
        { start: summary.start, end: summary.end, correct: isSummed },
        ...after.map(({ start, end, text }, i) => {
          return { start, end, correct: i === 0 && text === answer };
        }),
      ];
    },
    continueFrom(problem, prefix, config, random) {
      const { body, summary, after } = read(prefix);
      const isSummed = summary !== undefined;
      const whole = isSummed ? body : body + continueFrom(problem, body, config, random);
      const added = stepsOf(problem, whole).filter(({ end }) => end > body.length);
      const lines = [
        ...added.map(({ text }) => writeStep(text, template)),
        ...(isSummed ? [] : [summaryOf(problem, whole)]),
        ...(after.length > 0 ? [] : [task.answer(problem)]),
      ];
      const isJoined = prefix === "" || prefix.endsWith("\n") || lines.length === 0;
      return (isJoined ? "" : "\n") + lines.join("\n");
    },
  };
}

function unfit(task: string, why: string): PupilError {
  return new PupilError(`solutions of the task ${task} fit no template: it ${why}.`, {
    field: "data.template",
    remedy: "Leave the template out, or choose another task, such as chain.",
  });
}
