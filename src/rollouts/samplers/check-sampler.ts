import { type Problem, type ProblemSource, taskDefinitions } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { findSampler, type SamplerConfig } from "./list.js";
import type { Sampled, SamplerContext, SamplerNeed } from "./sampler.js";

/** What a source of problems may be able to do. */
export type SourceAbility = "solve" | "checkSteps" | "continueFrom" | "respond";

const abilities: Readonly<Record<SourceAbility, string>> = {
  solve: "has no solutions by rule (solve)",
  checkSteps: "cannot judge steps (checkSteps)",
  continueFrom: "cannot go on with a begun solution (continueFrom)",
  respond: "does not answer actions (respond)",
};

/** What is there to be needed: the problems, and whether there are models. */
export interface Available {
  readonly problems: ProblemSource;
  readonly student: boolean;
  /** One that can write. */
  readonly teacher: boolean;
  /** Name of a teacher that is there and may not be able to write, for the message. */
  readonly silentTeacher?: string;
}

/**
 * Refuses a sampler, or a step on traces, that needs what is not there, before anything runs.
 *
 * @param who for the message: `The sampler "takeover"`
 * @throws PupilError naming what is missing and what has it
 */
export function requireNeeds(
  needs: readonly SamplerNeed[],
  available: Available,
  who: string,
  field: string,
): void {
  for (const need of needs) {
    if (need === "student" || need === "teacher") {
      if (available[need]) continue;
      const { silentTeacher } = available;
      if (need === "teacher" && silentTeacher !== undefined) {
        throw new PupilError(
          `${who} needs a teacher that writes, which "${silentTeacher}" does not do in this process.`,
          { field: need, remedy: "Use a model folder as teacher, without a prompt of its own." },
        );
      }
      throw new PupilError(`${who} needs a ${need}, and none is given.`, {
        field: need,
        remedy: `Name a model folder in "${need}".`,
      });
    }
    requireAbility(need, available.problems, who, field);
  }
}

/** @throws PupilError naming what the source lacks and which tasks have it */
export function requireAbility(
  ability: SourceAbility,
  source: ProblemSource,
  who: string,
  field: string,
): void {
  if (source[ability] !== undefined) return;
  // Every task has an oracle, which is what solves.
  const member = ability === "solve" ? "oracle" : ability;
  const able = taskDefinitions.filter((task) => member in task).map(({ name }) => name);
  throw new PupilError(`${who} cannot be used: ${source.name} ${abilities[ability]}.`, {
    field,
    value: source.name,
    remedy: `The tasks that can: ${able.join(", ")}; or one of your own with ${member}.`,
  });
}

/** @throws PupilError if the sampler needs what is not there */
export function requireSampler<C>(
  {
    definition: { name, needs, needsFor },
    config,
  }: {
    readonly definition: {
      readonly name: string;
      readonly needs: readonly SamplerNeed[];
      needsFor?(config: C): readonly SamplerNeed[];
    };
    readonly config: C;
  },
  available: Available,
  field: string,
): void {
  const all = [...new Set([...needs, ...(needsFor?.(config) ?? [])])];
  requireNeeds(all, available, `The sampler "${name}"`, field);
}

/** The same of a sampler as a config names it. */
export function checkSampler(config: SamplerConfig, available: Available): void {
  requireSampler({ definition: findSampler(config.type), config }, available, "sampler.type");
}

/** Checks what a sampler needs, then samples. */
export function runSampler(
  config: SamplerConfig,
  problems: readonly Problem[],
  context: SamplerContext,
): Promise<Sampled> {
  const { student, teacher, problems: source } = context;
  const available = { student: student !== undefined, teacher: teacher !== undefined };
  checkSampler(config, { ...available, problems: source });
  return findSampler(config.type).sample(problems, config, context);
}
