import { z } from "zod";
import { firstProblem, PupilError } from "../../errors/index.js";
import type { GoldenCase, Nested } from "./golden.js";

/** Lists are looked at where they are used, which gives a better message than a schema. */
const lists = z.custom<Nested>((x) => x !== undefined && x !== null, { message: "is missing" });

const goldenCase = z.strictObject({
  loss: z.string(),
  config: z.record(z.string(), z.unknown()).optional(),
  inputs: z.record(z.string(), lists),
  expected: z
    .strictObject({
      values: lists.optional(),
      gradients: z.record(z.string(), lists).optional(),
    })
    .refine(({ values, gradients }) => values !== undefined || gradients !== undefined, {
      message: "holds neither values nor gradients",
    }),
});
const goldenFile = z.object({ cases: z.array(goldenCase).min(1) });

/**
 * Golden cases from parsed JSON:
 *
 *     {"cases": [{"loss": "forward-kl", "config": {"temperature": 2},
 *       "inputs": {"studentLogits": [[[…]]], "teacherLogits": [[[…]]]},
 *       "expected": {"values": [[…]], "gradients": {"studentLogits": [[[…]]]}}}]}
 *
 * Gradients are of the sum of the values. Infinities are the strings "Infinity" and "-Infinity". Other keys beside `cases` are left alone.
 *
 * @param source name of the file, for messages
 * @throws PupilError that names the file and the place in it
 */
export function parseGoldenCases(json: unknown, source: string): GoldenCase[] {
  const parsed = goldenFile.safeParse(json);
  if (parsed.success) return parsed.data.cases as GoldenCase[];
  const { path, problem } = firstProblem(parsed.error, json);
  throw new PupilError(problem, {
    field: path.length === 0 ? source : `${source}: ${path.join(".")}`,
    remedy:
      'A case is {"loss": …, "config": {…}, "inputs": {…}, "expected": {"values": …, "gradients": {…}}}.',
    cause: parsed.error,
  });
}
