import { z } from "zod";
import {
  type TaskDefinition,
  taskDefinitions,
  type VerifierDefinition,
  verifierDefinitions,
} from "../../data/index.js";
import { oneOf, PupilError } from "../../errors/index.js";
import { type LossDefinition, lossDefinitions, lossInputs } from "../../losses/index.js";
import { type RewardDefinition, rewardDefinitions, rewardNeeds } from "../../rollouts/index.js";
import { type TeacherDefinition, teacherKinds } from "../../teachers/index.js";
import type { ModuleKind } from "./load-modules.js";

const text = z.string();
const callable = z.custom((x) => typeof x === "function", "is not a function");

/** What all definitions have. */
export const definitionFields = {
  name: text.regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "is not in kebab-case"),
  summary: text,
  config: z.custom((x) => x instanceof z.ZodObject, "is not a Zod object schema"),
};

/** Files of a user's that export losses. */
export const lossModules: ModuleKind<LossDefinition> = {
  ...{ noun: "loss", plural: "losses", define: "defineLoss", builtIn: lossDefinitions },
  mark: "formula",
  reserved: ["type", "weight"],
  shape: z.object({
    ...definitionFields,
    formula: text,
    reference: text,
    per: z.enum(["token", "row"]),
    needs: z.array(text).min(1),
    optional: z.array(text).optional(),
    properties: z.record(text, z.unknown()),
    examples: z.array(z.record(text, z.unknown())),
    evaluate: callable,
  }),
  check({ needs, optional = [] }, field) {
    for (const input of [...needs, ...optional]) {
      if (input in lossInputs) continue;
      throw new PupilError(`needs: there is no loss input "${input}".`, {
        field,
        remedy: oneOf(input, Object.keys(lossInputs)),
      });
    }
  },
};

/** Files of a user's that export tasks. */
export const taskModules: ModuleKind<TaskDefinition> = {
  ...{ noun: "task", plural: "tasks", define: "defineTask", builtIn: taskDefinitions },
  mark: "generate",
  reserved: ["type"],
  shape: z.object({
    ...definitionFields,
    ...{ alphabet: callable, generate: callable, splitOf: callable, prompt: callable },
    ...{ answer: callable, oracle: callable, verify: callable },
    ...{ hidden: callable.optional(), checkSteps: callable.optional() },
    ...{ continueFrom: callable.optional(), respond: callable.optional() },
    ...{ list: callable.optional(), backward: callable.optional() },
  }),
  check({ config }, field) {
    const missing = ["errorRate", "heldOutFraction"].find((name) => !(name in config.shape));
    if (missing === undefined) return;
    throw new PupilError(`config: has no option "${missing}".`, {
      field,
      remedy: "Put ...commonTaskFields among its options.",
    });
  },
};

/** Files of a user's that export verifiers. */
export const verifierModules: ModuleKind<VerifierDefinition> = {
  noun: "verifier",
  plural: "verifiers",
  define: "defineVerifier",
  builtIn: verifierDefinitions,
  mark: "verify",
  // A task verifies too.
  otherThan: "generate",
  reserved: ["type"],
  shape: z.object({ ...definitionFields, verify: callable }),
};

export const teacherModules: ModuleKind<TeacherDefinition> = {
  noun: "teacher",
  plural: "teachers",
  define: "defineTeacher",
  builtIn: teacherKinds.map(({ type: name }) => ({ name })),
  mark: "connect",
  reserved: ["type", "weight", "when"],
  shape: z.object({ ...definitionFields, connect: callable }),
};

export const rewardModules: ModuleKind<RewardDefinition> = {
  noun: "reward",
  plural: "rewards",
  define: "defineReward",
  builtIn: rewardDefinitions,
  mark: "evaluate",
  // A loss is evaluated too.
  otherThan: "formula",
  reserved: ["type", "weight"],
  shape: z.object({
    ...definitionFields,
    reference: text,
    needs: z.array(z.enum(rewardNeeds)),
    ask: callable.optional(),
    evaluate: callable,
  }),
};
