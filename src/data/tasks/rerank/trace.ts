import type { Random } from "../../../tensors/index.js";
import { writeRanking } from "../../rerank/ranking-text.js";
import type { RerankProblem } from "./problem.js";

export const rerankStyles = ["reasons", "grades", "direct"] as const;
export type RerankStyle = (typeof rerankStyles)[number];

/** Places by grade, best first; equal grades as they are listed. */
export function orderOf(grades: readonly number[]): number[] {
  return [...grades.keys()].sort((a, b) => (grades[b] as number) - (grades[a] as number) || a - b);
}

/** The grades with one of them wrong, such that the order is no longer a right one. */
export function wrongGrades(grades: readonly number[], random: Random): number[] {
  const wrong = [...grades];
  // The last of the best, taken for irrelevant, comes behind one that is not as good.
  const highest = Math.max(...grades);
  const least = Math.min(...grades);
  const place = random.pick([...grades.keys()].filter((i) => grades[i] === highest));
  const other = random.pick([...grades.keys()].filter((i) => grades[i] === least));
  wrong[place] = least;
  wrong[other] = highest;
  return wrong;
}

/**
 * One reason per passage (which word of it stands for which of the query, and the grade) and the order:
 *
 *     1: kida=bada popu=meso 2
 *     2: 0
 *     [1] > [2]
 */
export function writeTrace(
  { query, passages }: RerankProblem,
  grades: readonly number[],
  style: RerankStyle,
): string {
  const ranking = writeRanking(orderOf(grades));
  if (style === "direct") return ranking;
  const lines = passages.map(({ words }, i) => {
    const reasons = query.flatMap(({ topic, word }) => {
      const meant = words.find((other) => other.topic === topic);
      return meant === undefined || style === "grades" ? [] : [`${meant.word}=${word} `];
    });
    return `${i + 1}: ${reasons.join("")}${grades[i]}\n`;
  });
  return lines.join("") + ranking;
}
