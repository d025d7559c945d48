import { prepareData, type CollectConfig, type PreparedData } from "../../config/index.js";
import {
  findPairMaker,
  findTraceStep,
  type Problem,
  type ProblemSource,
  type Tokenizer,
  type TraceNeed,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { LoadedModel } from "../../folders/index.js";
import { contextLength, type Decoder } from "../../models/index.js";
import { checkSampler, requireNeeds } from "../../rollouts/index.js";
import { Random } from "../../tensors/index.js";
import { dataOnDisk } from "../files/data-on-disk.js";
import { findModelFolder } from "../models/find-model.js";
import { loadModelFolder } from "../models/model-folder.js";
import type { Own } from "../runs/models/assemble-models.js";
import { loadOwnComponents } from "../modules/own-components.js";
import { chooseTokenizer } from "../runs/models/run-models.js";

/** Models, tokenizer and problems that a collect config names. */
export interface CollectParts {
  readonly tokenizer: Tokenizer;
  readonly student: Decoder | undefined;
  readonly teacher: Decoder | undefined;
  readonly source: ProblemSource;
  readonly problems: readonly Problem[];
  readonly data: PreparedData;
}

/**
 * Loads them, and refuses what cannot work before anything is sampled. The problems are those that a
 * training with the same seed meets first.
 *
 * @throws PupilError for data without problems, too few of them, or a need that nothing fulfils
 */
export async function collectParts(config: CollectConfig, own: Own): Promise<CollectParts> {
  const components = await loadOwnComponents(config);
  const load = async (path: string | undefined): Promise<LoadedModel | undefined> => {
    if (path === undefined) return undefined;
    const loaded = await loadModelFolder(await findModelFolder(path));
    own(loaded.model);
    return loaded;
  };
  const files = dataOnDisk();
  const student = await load(config.student);
  const teacher = await load(config.teacher);
  const tokenizer = await chooseTokenizer(
    { data: config.problems, evaluation: {}, tokenizer: config.tokenizer },
    { files, components },
    teacher,
    student,
  );
  const limits = [student, teacher].flatMap((loaded) =>
    loaded === undefined ? [] : [contextLength(loaded.model.config)],
  );
  const random = new Random(config.seed).stream("data");
  const data = await prepareData(config.problems, {
    ...{ tokenizer, files, random, own: components, evaluationRows: 1 },
    maxPositions: limits.length === 0 ? undefined : Math.min(...limits),
  });
  own({ dispose: () => data.dispose?.() });
  const source = requireProblems(data, config);
  checkNeeds(config, source);
  const count = requireCount(config, source);
  const problems = Array.from({ length: count }, (_, i) =>
    source.problem("train", config.start + i, random),
  );
  return { tokenizer, student: student?.model, teacher: teacher?.model, source, problems, data };
}

function requireProblems({ problems }: PreparedData, { problems: config }: CollectConfig) {
  if (problems !== undefined) return problems.source;
  const isRows = "verifier" in config || ["file", "jsonl", "hub"].includes(config.type);
  throw new PupilError(`data of the type "${config.type}" has no problems as it is.`, {
    field: "problems",
    value: config.type,
    remedy: isRows
      ? 'Say what is right: "verifier": {"type": "last-number"} and the like. Chats cannot be asked.'
      : "Take a task, or rows of a file with a verifier.",
  });
}

/** @throws PupilError if sampler, steps or pairs need what is not there */
function checkNeeds(config: CollectConfig, problems: ProblemSource): void {
  const [student, teacher] = [config.student !== undefined, config.teacher !== undefined];
  const available = { problems, student, teacher };
  checkSampler(config.sampler, available);
  const check = (needs: readonly TraceNeed[], what: string, field: string) => {
    if (needs.includes("given") && config.traces === undefined) throw nothingGiven(what);
    const asked = needs
      .filter((need) => need !== "given")
      .map((need) => (need === "likelihood" ? "student" : need));
    requireNeeds(asked, available, what, field);
  };
  for (const [i, step] of config.steps.entries()) {
    check(findTraceStep(step.type).needsFor?.(step) ?? [], `The step "${step.type}"`, `steps.${i}`);
  }
  if (config.pairs === undefined) return;
  const { type } = config.pairs;
  check(findPairMaker(type).needsFor?.(config.pairs) ?? [], `The maker "${type}"`, "pairs");
}

function nothingGiven(what: string): PupilError {
  return new PupilError(`${what} needs the traces of an earlier collection, and none are named.`, {
    field: "traces",
    remedy: "Name its rows.jsonl; it must be of the same problems: dataset, seed, start and count.",
  });
}

function requireCount({ count, start }: CollectConfig, source: ProblemSource): number {
  const size = source.size("train");
  if (size === undefined) {
    if (count !== undefined) return count;
    throw new PupilError(`${source.name} has no end: say how many problems.`, {
      field: "count",
      remedy: "Give it, such as count=500.",
    });
  }
  const left = size - start;
  if (left > 0 && (count ?? left) <= left) return count ?? left;
  throw new PupilError(
    `${source.name} has ${size} problems to train on: there are not ${count ?? 1} from ${start} on.`,
    {
      field: "count",
      value: count,
      remedy: "Ask for fewer, or leave count out for all of them.",
    },
  );
}
