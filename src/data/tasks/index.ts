import { z } from "zod";
import { additionTask } from "./addition.js";
import { chainTask } from "./chain.js";
import type { TaskDefinition } from "./define.js";

/** Every built-in task. A new one is one file and one line here. */
export const taskDefinitions = [additionTask, chainTask] as const;

type Definitions = (typeof taskDefinitions)[number];
type Named<D> = D extends {
  readonly name: infer N extends string;
  readonly config: z.ZodObject<infer S>;
}
  ? z.ZodObject<S & { type: z.ZodLiteral<N> }, z.core.$strict>
  : never;

/** `{type: "addition", maxDigits: 3, …}`: the options of one task, told apart by its name. */
export const taskConfigSchema = z.discriminatedUnion(
  "type",
  taskDefinitions.map(({ name, summary, config }) =>
    (config as z.ZodObject).safeExtend({ type: z.literal(name) }).describe(summary),
  ) as unknown as [Named<Definitions>, ...Named<Definitions>[]],
);
export type TaskConfig = z.output<typeof taskConfigSchema>;

/** The definition with that name. */
export function findTask(name: TaskConfig["type"]): TaskDefinition {
  const found = taskDefinitions.find((definition) => definition.name === name);
  if (found === undefined) throw new Error(`No task is called ${name}.`);
  return found;
}
