import type { z } from "zod";
import { PupilError } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import type { TaskDefinition, TaskSplit } from "./define.js";

/** Problems of each split that are looked at. */
const sampleSize = 32;

/**
 * Holds a task to what a definition promises, on a few problems: they belong to the split that was
 * asked for, their texts keep to the alphabet, and the task calls its own right solutions right and
 * its wrong ones wrong.
 *
 * @throws PupilError naming the problem by its prompt
 */
export function checkTask(
  task: TaskDefinition,
  options: z.output<z.ZodObject>,
  random: Random,
): void {
  const alphabet = new Set(task.alphabet(options));
  for (const split of ["train", "heldOut", "longer"] as const satisfies TaskSplit[]) {
    for (let i = 0; i < sampleSize; i++) {
      const stream = random.stream("check-task", split, i);
      const problem = task.generate(options, split, stream.stream("problem"));
      const solved = (errorRate: number) =>
        task.oracle(problem, { ...options, errorRate }, stream.stream("oracle"));
      const prompt = task.prompt(problem);
      const refuse = (message: string, value: unknown, remedy: string): never => {
        throw new PupilError(message, { field: `task ${task.name}: ${prompt}`, value, remedy });
      };
      const found = task.splitOf(problem, options);
      if (found !== split) {
        refuse(
          `splitOf says "${found}" of a problem of the split "${split}".`,
          problem,
          "Draw problems with drawFromSplit, and decide by the problem alone.",
        );
      }
      const right = solved(0);
      const foreign = Array.from(prompt + right).find((character) => !alphabet.has(character));
      if (foreign !== undefined) {
        refuse(
          `the character ${JSON.stringify(foreign)} is not in its alphabet.`,
          prompt + right,
          "Let alphabet name every character of prompts and completions.",
        );
      }
      if (!task.verify(problem, right).correct) {
        refuse("it calls its own solution wrong.", right, "Let verify accept what oracle writes.");
      }
      const wrong = solved(1);
      if (task.verify(problem, wrong).correct) {
        refuse(
          "it calls a solution right that its oracle wrote with errorRate 1.",
          wrong,
          "Let oracle write a wrong final answer with the probability errorRate.",
        );
      }
    }
  }
}
