import { z } from "zod";

/**
 * What a loss on lists takes for `teacherScores`: the teacher's scores, the grades of the data, or 1 for
 * candidates with a grade above 0 and 0 for others.
 */
export const listScores = ["teacher", "grades", "relevance"] as const;
export type ListScores = (typeof listScores)[number];

export const listScoresField = z
  .enum(listScores)
  .optional()
  .describe(
    "Which scores it learns from: the teacher's, the grades of the data, or relevance (1 where the grade is above 0, else 0). Default: the teacher's where there is one, else the grades.",
  );
