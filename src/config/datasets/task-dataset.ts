import {
  checkTask,
  type RerankList,
  type TaskDataset,
  type TaskItem,
  taskItems,
  taskOf,
  taskSource,
  type TaskSplit,
  tokenizeExample,
  type TokenSequence,
} from "../../data/index.js";
import type { EvaluationSet } from "../../trainers/index.js";
import {
  type DatasetKind,
  type PrepareContext,
  type PreparedData,
  promptOfRow,
  roomForAnswers,
  trainingProblems,
} from "./dataset-kind.js";
import { encodeList } from "./rerank-dataset.js";

/** Endless problems of a task, with held-out and longer ones to evaluate on. */
export const taskDataset: DatasetKind<TaskDataset> = {
  hasEnds: true,
  characters({ task, prefix, template }, _files, own) {
    const { alphabet = "" } = taskSource(task, { prefix, own: own.tasks, template });
    return Promise.resolve({ alphabet });
  },
  prepare,
};

/** Training problems to look at to find how long completions get. */
const lengthSample = 512;

function prepare(dataset: TaskDataset, context: PrepareContext): PreparedData {
  const { task: config, template, prefix, budget } = dataset;
  const { tokenizer, evaluationRows, random, own } = context;
  const form = { own: own.tasks, template };
  const { type, ...options } = config;
  const task = taskOf(type, form);
  // The built-in ones are held to it by their tests.
  if (own.tasks.some(({ name }) => name === type)) checkTask(task, options, random);
  const source = taskSource(config, { prefix, ...form });
  const tokenize = ({ example }: TaskItem) =>
    tokenizeExample(tokenizer, { ...example, prompt: prefix + example.prompt });
  // Evaluation is held to right completions, whatever the error rate of the training traces.
  const exact = { ...options, errorRate: 0 };
  const rowsOf = (split: TaskSplit, count: number, start = 0) =>
    taskItems(task, options, split, random, count, start).map(tokenize);
  const pairsOf = (split: TaskSplit, count: number, start = 0) => {
    const answers = (errorRate: number) =>
      taskItems(task, { ...options, errorRate }, split, random, count, start).map(tokenize);
    const wrong = answers(1);
    return answers(0).map((positive, i) => ({ positive, negative: wrong[i] as TokenSequence }));
  };
  const listsOf =
    task.list &&
    ((split: TaskSplit, count: number, start = 0) =>
      taskItems(task, exact, split, random, count, start).map(({ problem }) =>
        encodeList(tokenizer, task.list?.(problem) as RerankList),
      ));
  const evaluationSet = (split: "heldOut" | "longer"): EvaluationSet => {
    const items = taskItems(task, exact, split, random, evaluationRows);
    const rows = items.map(tokenize);
    return {
      name: split,
      rows,
      prompts: rows.map(promptOfRow),
      asked: { source, problems: items.map((_, i) => source.problem(split, i, random)) },
      ...(budget === undefined ? {} : { budget }),
      pairs: pairsOf(split, evaluationRows),
      ...(listsOf && { lists: listsOf(split, evaluationRows) }),
      verify: (index, ids) => task.verify(items[index]?.problem, tokenizer.decode(ids)).correct,
    };
  };
  const evaluation = [evaluationSet("heldOut"), evaluationSet("longer")];
  const all = [...rowsOf("train", lengthSample), ...evaluation.flatMap(({ rows }) => rows)];
  return {
    training: {
      rows: (step, count) => rowsOf("train", count, step * count),
      promptOf: promptOfRow,
    },
    pairs: { pairs: (step, count) => pairsOf("train", count, step * count) },
    ...(listsOf && {
      ranking: { lists: (step, count) => listsOf("train", count, step * count) },
    }),
    problems: trainingProblems(source, random),
    evaluation,
    ...roomForAnswers(all),
    notes: [`Task ${config.type}: ${task.summary}`],
  };
}
