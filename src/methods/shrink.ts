import type { Stage, StageRun } from "../config/index.js";

const most = { steps: 2, batchSize: 2, rows: 2, problems: 4, newTokens: 12 };

/** Shapes of a model so small that it tells nothing. */
const tiny = { hiddenSize: 16, intermediateSize: 32, numLayers: 1, numHeads: 2 };

/**
 * The same stage made as small as it gets, to see whether it works and not what it reaches: two steps of
 * two rows with a model of some thousand parameters. Losses, data and whatever else a method is about stay.
 */
export function shrink(stage: Stage): Stage {
  const { run, collect } = stage;
  return {
    ...stage,
    ...(run === undefined ? {} : { run: shrinkRun(run) }),
    ...(collect === undefined ? {} : { collect: shrinkCollect(collect) }),
  };
}

const atMost = (limit: number, value: number | undefined) => Math.min(limit, value ?? limit);

function shrinkRun(run: StageRun): StageRun {
  const { student, trainer, evaluation = {} } = run;
  return {
    ...run,
    student: shrinkStudent(student),
    trainer: {
      ...trainer,
      steps: atMost(most.steps, trainer.steps),
      batchSize: atMost(most.batchSize, trainer.batchSize),
      warmupSteps: 0,
    } as StageRun["trainer"],
    evaluation: {
      ...evaluation,
      every: 0,
      rows: atMost(most.rows, evaluation.rows),
      maxNewTokens: atMost(most.newTokens, evaluation.maxNewTokens),
    },
  };
}

function shrinkStudent(student: StageRun["student"]): StageRun["student"] {
  if (student.architecture === undefined) return student;
  const { numKeyValueHeads: _heads, headDim: _width, ...shape } = student.architecture;
  const layerTypes = shape.layerTypes?.slice(0, tiny.numLayers);
  const architecture = { ...shape, ...tiny, ...(layerTypes && { layerTypes }) };
  return { ...student, architecture };
}

function shrinkCollect(collect: NonNullable<Stage["collect"]>): NonNullable<Stage["collect"]> {
  const numberAt = (key: string) => {
    const value = collect[key];
    return typeof value === "number" ? value : undefined;
  };
  return { ...collect, count: atMost(most.problems, numberAt("count")) };
}
