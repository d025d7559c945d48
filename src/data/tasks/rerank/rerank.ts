import { z } from "zod";
import { readRanking, writeRanking, writeRankingPrompt } from "../../rerank/ranking-text.js";
import type { RerankList } from "../../rerank/rerank-lists.js";
import {
  assignSplit,
  commonTaskFields,
  defineTask,
  drawFromSplit,
  drawStyle,
  styleField,
  type TaskSplit,
} from "../define.js";
import { drawRerankProblem, type RerankProblem, textOf } from "./problem.js";
import { orderOf, rerankStyles, writeTrace, wrongGrades } from "./trace.js";
import { mostWords, wordLetters } from "./words.js";

const mostCandidates = 40;

const config = z
  .strictObject({
    topics: z.int().min(4).max(200).default(12).describe("Latent topics, each a set of synonyms."),
    synonyms: z.int().min(1).max(20).default(4).describe("Words of a topic."),
    candidates: z.int().min(2).max(20).default(8).describe("Passages of a query in training."),
    passageWords: z
      .int()
      .min(2)
      .max(20)
      .default(4)
      .describe("Words of a passage: those about the query's topics and words of others."),
    style: styleField(rerankStyles, "reasons").describe(
      'Oracle (a list: one of them at random): reasons "1: kida=bada popu=meso 2" per passage and the order; grades "1: 2"; direct: only the order "[1] > [2]".',
    ),
    ...commonTaskFields,
  })
  .refine(({ topics, synonyms }) => topics * synonyms <= mostWords, {
    message: `topics · synonyms must not exceed ${mostWords}`,
    path: ["topics"],
  })
  .refine(({ candidates, longerBy }) => candidates + longerBy <= mostCandidates, {
    message: `candidates + longerBy must not exceed ${mostCandidates}`,
    path: ["longerBy"],
  });

/**
 * Ranking passages for a query of two words. A passage has grade 2 if it is about the topics of both
 * words, 1 if about one and 0 if about none; a topic is written with any of its synonyms, so that
 * shared words find few of the relevant passages and the table of synonyms has to be learned.
 *
 * As lists, for the trainer `rank`; as text, a list to write the order of, with a reason for every
 * passage. Problems with the same query are in the same split.
 */
export const rerankTask = defineTask({
  name: "rerank",
  summary: "Ranks passages by the topics they share with a query, under whatever synonym.",
  config,
  alphabet: () =>
    ` \n:=[]>query0123456789${wordLetters}`
      .split("")
      .filter((c, i, all) => all.indexOf(c) === i)
      .join(""),
  generate(options, split, random): RerankProblem {
    const { candidates, longerBy } = options;
    const draw = () => {
      const count = split === "longer" ? candidates + 1 + random.integer(longerBy) : candidates;
      return drawRerankProblem(count, options, random);
    };
    return drawFromSplit(split, draw, (problem) => splitOf(problem, options));
  },
  splitOf,
  prompt: ({ query, passages }) =>
    writeRankingPrompt(
      textOf(query),
      passages.map(({ words }) => textOf(words)),
    ),
  answer: (problem) => writeRanking(orderOf(gradesOf(problem))),
  oracle(problem, { style, errorRate }, random) {
    const isWrong = random.uniform() < errorRate;
    const grades = isWrong ? wrongGrades(gradesOf(problem), random) : gradesOf(problem);
    return writeTrace(problem, grades, drawStyle(style, random));
  },
  verify(problem, completion) {
    const grades = gradesOf(problem);
    const { order, isWhole } = readRanking(completion, grades.length);
    const ranked = order.map((place) => grades[place] as number);
    const isSorted = ranked.every((grade, i) => i === 0 || grade <= (ranked[i - 1] as number));
    return {
      correct: isWhole && isSorted,
      answer: isWhole ? writeRanking(order) : undefined,
      traceCorrect: rerankStyles.some((style) => completion === writeTrace(problem, grades, style)),
    };
  },
  list: (problem): RerankList => ({
    queryId: textOf(problem.query),
    query: textOf(problem.query),
    candidates: problem.passages.map(({ words, grade }, i) => {
      return { docid: String(i + 1), text: textOf(words), grade };
    }),
  }),
});

const gradesOf = ({ passages }: RerankProblem) => passages.map(({ grade }) => grade);

function splitOf(
  { query, passages }: RerankProblem,
  { candidates, heldOutFraction }: z.output<typeof config>,
): TaskSplit {
  return assignSplit(passages.length > candidates, `rerank:${textOf(query)}`, heldOutFraction);
}
