import { z } from "zod";

/** A layer of the student and the one of the teacher that it is held against. */
export type LayerPair = readonly [student: number, teacher: number];

const layer = () => z.int().min(0);

export const layersField = z
  .array(z.tuple([layer(), layer()]))
  .min(1)
  .optional()
  .describe(
    "Pairs [student's layer, teacher's layer] to compare, counted from 1; 0 is the embedding. Default: the last of both.",
  );
