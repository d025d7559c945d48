import type { Random } from "../../tensors/index.js";
import type { TaskConfig } from "../tasks/index.js";
import { findTask } from "../tasks/index.js";
import { taskItem } from "../tasks/task-examples.js";
import type { Problem, ProblemSource, SolveOptions } from "./problem.js";

/** The problems of a task with these options. */
export function taskSource({ type, ...options }: TaskConfig): ProblemSource {
  const task = findTask(type);
  const optionsWith = (changes: SolveOptions) => task.config.parse({ ...options, ...changes });
  return {
    name: `task ${type}`,
    alphabet: task.alphabet(options),
    size: () => undefined,
    problem(split, index, random): Problem {
      const { problem, example } = taskItem(task, options, split, random, index);
      const { prompt, answer = "", completion } = example;
      return { id: `${type}/${split}/${index}`, prompt, answer, completion, value: problem };
    },
    verify: ({ value }, completion) => task.verify(value, completion),
    solve: ({ value }, changes, random: Random) => task.oracle(value, optionsWith(changes), random),
  };
}
