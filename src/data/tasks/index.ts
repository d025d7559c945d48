import { z } from "zod";
import { oneOf, PupilError } from "../../errors/index.js";
import { additionTask } from "./addition.js";
import { chainTask } from "./chain/chain.js";
import type { TaskDefinition } from "./define.js";
import { kb2Task } from "./kb2/kb2.js";
import { multiplicationTask } from "./multiplication/multiplication.js";
import { prontoqaTask } from "./prontoqa/prontoqa.js";
import { toolTask } from "./tool/tool.js";

export type { TaskDefinition };

/** Every built-in task. A new one is one file and one line here. */
export const taskDefinitions = [
  additionTask,
  chainTask,
  kb2Task,
  multiplicationTask,
  prontoqaTask,
  toolTask,
] as const;

type Definitions = (typeof taskDefinitions)[number];
type Named<D> = D extends {
  readonly name: infer N extends string;
  readonly config: z.ZodObject<infer S>;
}
  ? z.ZodObject<S & { type: z.ZodLiteral<N> }, z.core.$strict>
  : never;

const named = (definitions: readonly TaskDefinition[]) =>
  definitions.map(({ name, summary, config }) =>
    config.safeExtend({ type: z.literal(name) }).describe(summary),
  );

/** `{type: "addition", maxDigits: 3, …}`: the options of one task, told apart by its name. */
export const taskConfigSchema = taskConfigSchemaWith([]);
export type TaskConfig = z.output<typeof taskConfigSchema>;

/** The same where tasks of the user's own can be named too; typed as the built-in one. */
export function taskConfigSchemaWith(own: readonly TaskDefinition[]) {
  const options = named([...(taskDefinitions as readonly TaskDefinition[]), ...own]);
  return z.discriminatedUnion(
    "type",
    options as unknown as [Named<Definitions>, ...Named<Definitions>[]],
  );
}

/**
 * The definition with that name.
 *
 * @param own definitions beside the built-in ones
 * @throws PupilError that says which names there are
 */
export function findTask(name: string, own: readonly TaskDefinition[] = []): TaskDefinition {
  const known: readonly TaskDefinition[] = [...taskDefinitions, ...own];
  const found = known.find((definition) => definition.name === name);
  if (found === undefined) {
    throw new PupilError(`there is no task "${name}".`, {
      field: "task.type",
      value: name,
      remedy: oneOf(
        name,
        known.map((task) => task.name),
      ),
    });
  }
  return found;
}
