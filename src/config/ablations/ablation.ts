import { z } from "zod";
import { oneOf, PupilError } from "../../errors/index.js";
import { choiceSchema } from "./choice.js";
import { derivedSchema } from "./derived.js";
import { drawArms, drawsSchema, variedSchema } from "./draws.js";
import { reservedFields } from "./stages.js";
import { stopSchema } from "./stop.js";

const armChanges = z.record(z.string(), z.unknown());

export const comparisonSchema = z.strictObject({
  arm: z.string().describe("The arm of which something is claimed."),
  baseline: z.string().optional().describe("What it is compared with. Default: the ablation's."),
  metric: z.string().describe("A measure of summary.json, such as heldOut.accuracy."),
  direction: z.enum(["higher", "lower"]).describe("Which way the arm differs, says the claim."),
  margin: z.number().min(0).default(0).describe("By more than this much."),
});

const derivedComparisonSchema = z.strictObject({
  derived: z.string().describe("A measure of `derived`."),
  direction: z.enum(["higher", "lower"]).describe("On which side of the border it lies."),
  margin: z.number().default(0).describe("The border."),
});

const runField = z
  .union([z.string(), armChanges])
  .describe(
    "A run config, or the path of one beside this file; its name, seed and output are the runner's.",
  );

const stageFileSchema = z
  .strictObject({
    run: runField.optional(),
    collect: z
      .union([z.string(), armChanges])
      .optional()
      .describe("What `pupil collect` takes, or the path of it beside this file."),
    choose: choiceSchema
      .optional()
      .describe("Takes the best of what other stages made, by a measure."),
    once: z.boolean().default(false).describe("Made once, with seed 1, for all seeds."),
  })
  .refine(
    ({ run, collect, choose }) =>
      [run, collect, choose].filter((config) => config !== undefined).length === 1,
    {
      message:
        "give one of `run` (it trains), `collect` (it writes traces or pairs) and `choose` (it takes the best of what stages made)",
    },
  );

/** A file of `pupil ablate`: arms as overrides of one run config, or of a chain of stages. */
export const ablationSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\w][\w.-]*$/, "use letters, digits, dots, dashes and underscores")
    .describe("Name of the ablation and of its folder."),
  run: runField.optional(),
  stages: z
    .record(z.string(), stageFileSchema)
    .optional()
    .describe(
      'In place of `run`: stages by name. "stage:<name>" in the config of one is what another made.',
    ),
  arms: z
    .record(z.string(), armChanges)
    .optional()
    .describe(
      'Overrides by the name of the arm: {"forward": {"trainer.loss.0.type": "forward-kl"}, "plain": {}}. With `stages` they begin with a stage\'s name, and `last` names the stage that the arm ends with (default: the last one).',
    ),
  vary: z
    .record(z.string(), variedSchema)
    .optional()
    .describe(
      "Values by field; every combination becomes an arm, of each of `arms` if there are any. With `draws` also ranges.",
    ),
  draws: drawsSchema.optional(),
  stop: stopSchema.optional(),
  baseline: z
    .string()
    .optional()
    .describe("The arm that others are compared with. Default: the first."),
  seeds: z
    .union([z.int().min(1), z.array(z.int().min(0)).min(1)])
    .default(5)
    .describe("How many seeds, from 1; or which."),
  metrics: z
    .array(z.string())
    .optional()
    .describe("Measures in the report. Default: all of the evaluations."),
  derived: derivedSchema.optional(),
  claim: z
    .strictObject({
      text: z.string().describe("The claim in one sentence."),
      comparisons: z
        .array(z.union([comparisonSchema, derivedComparisonSchema]))
        .min(1)
        .describe("All of them must hold."),
    })
    .optional()
    .describe("What is to be shown; the verdict's rule is written down before the run."),
});

export type AblationFile = z.output<typeof ablationSchema>;

/** An arm: what it changes in the run config, or in the configs of stages, as overrides by path. */
export interface Arm {
  readonly name: string;
  readonly changes: Readonly<Record<string, unknown>>;
}

/**
 * The arms of an ablation: those it names, times every combination of what it varies, or what is drawn of it.
 *
 * @throws PupilError where there are fewer than two, or one changes what is the runner's
 */
export function expandArms(
  { arms = {}, vary = {}, draws, stages }: Pick<AblationFile, "arms" | "vary" | "draws" | "stages">,
  source: string,
): Arm[] {
  const depth = stages === undefined ? 0 : 1;
  const named = Object.entries(arms).map(([name, changes]): Arm => ({ name, changes }));
  const varied = draws === undefined ? gridOf(vary, source) : drawArms(vary, draws, source);
  const combined = (named.length > 0 ? named : [{ name: "", changes: {} }]).flatMap(
    ({ name, changes }) =>
      varied.map((values) => ({
        name: [name, ...Object.entries(values).map(([path, value]) => nameOf(path, value))]
          .filter(Boolean)
          .join(", "),
        changes: { ...changes, ...values },
      })),
  );
  if (combined.length < 2) {
    throw new PupilError(`${combined.length} arm is nothing to compare.`, {
      field: `${source}: arms`,
      remedy: 'Name two or more in "arms", or give two values or more in "vary".',
    });
  }
  for (const { name, changes } of combined) {
    const taken = Object.keys(changes).find((path) =>
      reservedFields.includes(path.split(".")[depth] ?? ""),
    );
    if (taken === undefined) continue;
    throw new PupilError(`"${taken}" is set by the runner: all arms have the same seeds.`, {
      field: `${source}: arms.${name}`,
      value: changes[taken],
      remedy: 'Leave it out; "seeds" of the ablation says which seeds run.',
    });
  }
  return combined;
}

/** The baseline of an ablation: the arm it names, else the first. */
export function baselineOf(
  arms: readonly Arm[],
  given: string | undefined,
  source: string,
): string {
  const names = arms.map(({ name }) => name);
  if (given === undefined) return names[0] as string;
  if (names.includes(given)) return given;
  throw new PupilError(`there is no arm "${given}".`, {
    field: `${source}: baseline`,
    value: given,
    remedy: oneOf(given, names),
  });
}

/** The seeds that run. */
export function seedList(seeds: AblationFile["seeds"]): number[] {
  return typeof seeds === "number" ? Array.from({ length: seeds }, (_, i) => i + 1) : [...seeds];
}

/** Every combination of values; one of none where nothing varies. */
function gridOf(vary: NonNullable<AblationFile["vary"]>, source: string): Arm["changes"][] {
  return Object.entries(vary).reduce<Arm["changes"][]>(
    (list, [path, values]) => {
      if (Array.isArray(values)) {
        return list.flatMap((changes) => values.map((value) => ({ ...changes, [path]: value })));
      }
      throw new PupilError("is a range, of which there is no end of values.", {
        field: `${source}: vary.${path}`,
        value: values,
        remedy: 'Give a list of values, or say how many are drawn with "draws".',
      });
    },
    [{}],
  );
}

const nameOf = (path: string, value: unknown) => `${lastKey(path)}=${show(value)}`;
const lastKey = (path: string) => path.split(".").at(-1) ?? path;
const show = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
