import { z } from "zod";

/** Of the rows that this version writes; a row that has no version is of the first format. */
export const logVersion = 2;

/** Measures by their flat names, such as `terms.reverse-kl` or `heldOut.accuracy`. */
export type Values = Readonly<Record<string, number>>;

interface Row<T extends string> {
  readonly type: T;
  /** Optimizer steps that were done; 0: before the first. */
  readonly step: number;
  /** When the row was written, ISO 8601 in UTC; undefined in logs of the first format. */
  readonly time: string | undefined;
}

/** One optimizer step: its `StepMetrics` by flat names. */
export interface StepRow extends Row<"step"> {
  /** More steps are made of the same rollouts. */
  readonly isMidRollout?: true;
  readonly values: Values;
}

/** One evaluation: `<set>.<measure>`. */
export interface EvaluationRow extends Row<"evaluation"> {
  readonly values: Values;
}

/** A failure that begins to show. */
export interface WarningRow extends Row<"warning"> {
  /** Name of what is seen. */
  readonly warning: string;
  readonly message: string;
  readonly remedy: string;
}

/** A checkpoint that is whole. */
export interface CheckpointRow extends Row<"checkpoint"> {
  /** Its folder, within that of the run. */
  readonly path: string;
}

/** A process went on from the checkpoint of this step. */
export type ResumeRow = Row<"resume">;

/** A row of `metrics.jsonl` as readers see it. */
export type LogRow = StepRow | EvaluationRow | WarningRow | CheckpointRow | ResumeRow;

const strange = new Map([Infinity, -Infinity, NaN].map((number) => [String(number), number]));

/** The number that a value of a log is or stands for: JSON has no form for infinite ones. */
export function numberIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : strange.get(value as string);
}

export const loggedNumber = z
  .union([z.number(), z.enum(["Infinity", "-Infinity", "NaN"])])
  .transform((value) => numberIn(value) as number);

const common = <T extends LogRow["type"]>(type: T) => ({
  version: z.literal(logVersion),
  type: z.literal(type),
  step: z.int().min(0),
  time: z.iso.datetime(),
});

/** What a line of each type holds in the present version, and the row that it is to readers. */
export const logRowSchemas: { readonly [T in LogRow["type"]]: z.ZodType<LogRow & { type: T }> } = {
  step: z
    .object({ ...common("step"), isMidRollout: z.literal(true).optional() })
    .catchall(loggedNumber)
    .transform(({ version: _, type, step, time, isMidRollout, ...values }) => {
      return { type, step, time, ...(isMidRollout && { isMidRollout }), values };
    }),
  evaluation: z
    .object(common("evaluation"))
    .catchall(loggedNumber)
    .transform(({ version: _, type, step, time, ...values }) => ({ type, step, time, values })),
  warning: z.object({
    ...common("warning"),
    ...{ warning: z.string(), message: z.string(), remedy: z.string() },
  }),
  checkpoint: z.object({ ...common("checkpoint"), path: z.string() }),
  resume: z.object(common("resume")),
};
