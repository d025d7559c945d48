import { z } from "zod";
import { firstProblem, oneOf, PupilError } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import type { TaskDefinition } from "../tasks/index.js";
import { findTask, type TaskConfig } from "../tasks/index.js";
import { type HierarchicalTemplate, templatedTask } from "../templates/index.js";
import { taskItem } from "../tasks/task-examples.js";
import type { Problem, ProblemSource, SolveOptions } from "./problem.js";

export interface TaskSourceOptions {
  /** Put before every prompt. Default: nothing. */
  readonly prefix?: string;
  /** Tasks beside the built-in ones. */
  readonly own?: readonly TaskDefinition[];
  /** How its solutions are written. Default: as the task writes them. */
  readonly template?: HierarchicalTemplate | undefined;
}

/** The task with that name, in a template if there is one. */
export function taskOf(
  name: string,
  { own = [], template }: Pick<TaskSourceOptions, "own" | "template"> = {},
): TaskDefinition {
  const task = findTask(name, own);
  return template === undefined ? task : templatedTask(task, template);
}

/** The problems of a task with these options. */
export function taskSource(
  { type, ...options }: TaskConfig,
  { prefix = "", ...form }: TaskSourceOptions = {},
): ProblemSource {
  const task = taskOf(type, form);
  return {
    name: `task ${type}`,
    alphabet: withCharacters(task.alphabet(options), prefix),
    size: () => undefined,
    problem(split, index, random): Problem {
      const { problem, example } = taskItem(task, options, split, random, index);
      const { prompt, answer = "", completion } = example;
      const hidden = task.hidden?.(problem, options);
      return {
        id: `${type}/${split}/${index}`,
        prompt: prefix + prompt,
        answer,
        completion,
        ...(hidden === undefined ? {} : { hidden }),
        value: problem,
      };
    },
    verify: ({ value }, completion) => task.verify(value, completion),
    solve: ({ value }, changes, random: Random) =>
      task.oracle(value, changed(task, options, changes), random),
    ...stylesOf(task),
    ...abilities(task, options),
  };
}

/** The styles that the task's option names, in its order. */
function stylesOf({ config }: TaskDefinition): Pick<ProblemSource, "styles"> {
  const field: unknown = config.shape["style"];
  const union = field instanceof z.ZodDefault ? field.unwrap() : field;
  const single = union instanceof z.ZodUnion ? union.options[0] : union;
  return single instanceof z.ZodEnum ? { styles: single.options.map(String) } : {};
}

/** What only some tasks can do. */
function abilities(task: TaskDefinition, options: object): Partial<ProblemSource> {
  const { backward, checkSteps, continueFrom, respond } = { ...task };
  return {
    ...(checkSteps && { checkSteps: ({ value }, completion) => checkSteps(value, completion) }),
    ...(continueFrom && {
      continueFrom: ({ value }, begun, changes, random) =>
        continueFrom(value, begun, changed(task, options, changes), random),
    }),
    ...(backward && { backward: ({ value }, random) => backward(value, random) }),
    ...(respond && { respond: ({ value }, completion) => respond(value, completion) }),
  };
}

/** An alphabet and the characters of a text that it lacks. */
export function withCharacters(alphabet: string, text: string): string {
  return [...new Set(alphabet + text)].join("");
}

/** A task's options with changes. */
function changed(task: TaskDefinition, options: object, changes: SolveOptions) {
  const allowed = Object.keys(task.config.shape);
  const unknown = Object.keys(changes).find((key) => !allowed.includes(key));
  if (unknown !== undefined) {
    throw new PupilError(`the task ${task.name} has no option "${unknown}".`, {
      field: "solve",
      value: changes[unknown],
      remedy: oneOf(unknown, allowed),
    });
  }
  const parsed = task.config.safeParse({ ...options, ...changes });
  if (parsed.success) return parsed.data;
  const { path, value, problem } = firstProblem(parsed.error, { ...options, ...changes });
  throw new PupilError(`the task ${task.name} cannot be solved so: it ${problem}`, {
    field: `solve: ${path.join(".")}`,
    value,
    remedy: `\`pupil describe task ${task.name}\` says what it may be.`,
  });
}
