import type { z } from "zod";
import type { Random } from "../../tensors/index.js";
import type { Example } from "../types.js";
import type { TaskDefinition, TaskSplit } from "./define.js";

/** A problem with its example: what `verify` needs to judge a completion of the prompt. */
export interface TaskItem<P = unknown> {
  readonly problem: P;
  readonly example: Example;
}

/**
 * Item `index` of the endless random sequence of a split: a function of (random, split, index)
 * alone, so that a resumed run needs no position. Items may repeat.
 */
export function taskItem<N extends string, P, S extends z.ZodObject>(
  task: TaskDefinition<N, P, S>,
  config: z.output<S>,
  split: TaskSplit,
  random: Random,
  index: number,
): TaskItem<P> {
  const stream = random.stream("task", split, index);
  const problem = task.generate(config, split, stream.stream("problem"));
  const example = {
    prompt: task.prompt(problem),
    completion: task.oracle(problem, config, stream.stream("oracle")),
    answer: task.answer(problem),
  };
  return { problem, example };
}

/** Items `start` to `start + count - 1`. */
export function taskItems<N extends string, P, S extends z.ZodObject>(
  task: TaskDefinition<N, P, S>,
  config: z.output<S>,
  split: TaskSplit,
  random: Random,
  count: number,
  start = 0,
): TaskItem<P>[] {
  return Array.from({ length: count }, (_, i) => taskItem(task, config, split, random, start + i));
}

/** The examples of `taskItems`: prompt, oracle trace and right answer. */
export function taskExamples<N extends string, P, S extends z.ZodObject>(
  task: TaskDefinition<N, P, S>,
  config: z.output<S>,
  split: TaskSplit,
  random: Random,
  count: number,
  start = 0,
): Example[] {
  return taskItems(task, config, split, random, count, start).map(({ example }) => example);
}
