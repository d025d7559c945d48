import { join } from "node:path";
import { type CollectConfig, roomNotes } from "../../config/index.js";
import {
  encodePrompt,
  runPairMaker,
  runTraceSteps,
  type StepCount,
  type Trace,
  type TraceContext,
  tokenizeExample,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { contextLength } from "../../models/index.js";
import {
  addCosts,
  noCost,
  runSampler,
  type SamplingCost,
  scoreCompletions,
  tracesOfRows,
} from "../../rollouts/index.js";
import { Random } from "../../tensors/index.js";
import { writeFolderAtomic } from "../files/atomic.js";
import { exists } from "../files/file-exists.js";
import { toJson } from "../files/json.js";
import { readJsonObject, readText } from "../files/read-files.js";
import { requireEmptyFolder } from "../files/require-empty-folder.js";
import { withMark, verifyMark } from "../models/checkpoint-mark.js";
import { owning } from "../runs/models/assemble-models.js";
import { differences } from "../runs/folder/differences.js";
import { versions } from "../runs/folder/versions.js";
import { collectParts, type CollectParts } from "./collect-parts.js";
import { readGivenTraces } from "./given-traces.js";
import { traceMeasures } from "./measures.js";
import { linesOf, pairRow, traceRow } from "./rows.js";

/** What happens in a collection, in order. */
export type CollectEvent =
  | { readonly type: "started"; readonly problems: number; readonly notes: readonly string[] }
  | { readonly type: "written"; readonly completions: number }
  | { readonly type: "step"; readonly count: StepCount };

/** `collect.json`. */
export interface CollectSummary {
  readonly config: CollectConfig;
  readonly versions: Readonly<Record<string, string>>;
  readonly counts: {
    readonly problems: number;
    /** Completions that the sampler gave. */
    readonly sampled: number;
    readonly steps: readonly StepCount[];
    /** Rows that were written. */
    readonly rows: number;
  };
  readonly cost: SamplingCost;
  /** Of the sampler, then of the traces that were written, or made pairs of. */
  readonly measures: Readonly<Record<string, number>>;
}

export interface CollectOptions {
  readonly config: CollectConfig;
  /** Default: `<output>/<name>` of the config. */
  readonly path?: string;
  readonly report?: (event: CollectEvent) => void;
  /** Ends with an error between two batches of completions; nothing is written then. */
  readonly signal?: AbortSignal | undefined;
}

export interface Collection {
  readonly path: string;
  readonly summary: CollectSummary;
  /** The first rows. */
  readonly examples: readonly object[];
  /** Whether it was there already. */
  readonly kept: boolean;
}

/**
 * Samples completions of problems, filters and rewrites them, and writes what is left:
 * `rows.jsonl`, `collect.json` and a mark of completeness, all or nothing. A collection that is there
 * already from the same config is kept. What is written depends on the config alone. Needs a
 * started backend.
 *
 * @throws PupilError for a folder that holds something else, for needs that are not fulfilled, and
 *   naming the step that left nothing
 */
export async function collectTraces(options: CollectOptions): Promise<Collection> {
  const { config, report, signal } = options;
  const path = options.path ?? join(config.output, config.name);
  const found = await findCollection(path, config);
  if (found !== undefined) return found;
  using parts = await owning((own) => collectParts(config, own));
  const { problems, data } = parts;
  const room = roomNotes(contextOf(parts), data, config.maxNewTokens ?? data.maxNewTokens);
  report?.({ type: "started", problems: problems.length, notes: [...data.notes, ...room] });
  let completions = 0;
  const onWritten = (count: number) => {
    signal?.throwIfAborted();
    completions += count;
    report?.({ type: "written", completions });
  };
  const sampled = await sampleTraces(config, parts, onWritten);
  if (sampled.traces.length === 0) throw nothingSampled(config, sampled.measures);
  signal?.throwIfAborted();

  const scored = { cost: noCost };
  const { given } = sampled;
  const context = { ...traceContext(config, parts, scored), ...(given && { given }) };
  const { traces, counts } = await runTraceSteps(sampled.traces, config.steps, context);
  const paired = config.pairs && (await runPairMaker(traces, config.pairs, context));
  const steps = paired === undefined ? counts : [...counts, paired.count];
  for (const count of steps) report?.({ type: "step", count });
  const rows = paired?.pairs.map(pairRow) ?? traces.map(traceRow);
  const summary: CollectSummary = {
    config,
    versions: versions(),
    counts: {
      ...{ problems: problems.length, sampled: sampled.traces.length },
      ...{ steps, rows: rows.length },
    },
    cost: addCosts(sampled.cost, scored.cost),
    measures: { ...sampled.measures, ...traceMeasures(traces) },
  };
  const files = new Map([
    ["rows.jsonl", linesOf(rows)],
    ["collect.json", `${toJson(summary, 2)}\n`],
  ]);
  await writeFolderAtomic(path, withMark(files));
  return { path, summary, examples: rows.slice(0, 3), kept: false };
}

/** The shorter context of the models that are there. */
function contextOf({ student, teacher }: CollectParts): number {
  const models = [student, teacher].filter((model) => model !== undefined);
  return Math.min(...models.map(({ config }) => contextLength(config)));
}

async function sampleTraces(
  config: CollectConfig,
  { tokenizer, student, teacher, source, problems, data }: CollectParts,
  report: (completions: number) => void,
) {
  const { sampler, sampling: policy, traces: path } = config;
  const given = path === undefined ? undefined : await readGivenTraces(path, problems);
  const { rows, cost, measures } = await runSampler(sampler, problems, {
    ...{ problems: source, tokenizer, policy, report },
    ...(student && { student }),
    ...(teacher && { teacher }),
    ...(given && { given }),
    maxNewTokens: config.maxNewTokens ?? data.maxNewTokens,
    random: new Random(config.seed).stream("collect"),
  });
  const traces = tracesOfRows(rows, problems, { tokenizer, problems: source });
  return { traces, cost, measures, given };
}

/** What steps are given; what likelihoods cost is added up in `scored`. */
function traceContext(
  config: CollectConfig,
  { tokenizer, student, source }: CollectParts,
  scored: { cost: SamplingCost },
): TraceContext {
  const context = {
    problems: source,
    random: new Random(config.seed).stream("steps"),
    countTokens: (text: string) => tokenizer.encode(text).length,
  };
  if (student === undefined) return context;
  const idsOf = ({ prompt, completion }: Pick<Trace, "prompt" | "completion">) => {
    const promptIds = encodePrompt(tokenizer, prompt);
    const { ids } = tokenizeExample(tokenizer, { prompt, completion, finished: false });
    return { promptIds, completionIds: ids.slice(promptIds.length) };
  };
  return {
    ...context,
    logProbs(traces) {
      scored.cost = addCosts(scored.cost, { ...noCost, studentForwards: traces.length });
      return scoreCompletions(student, traces.map(idsOf), tokenizer.padId);
    },
  };
}

function nothingSampled(
  { sampler }: CollectConfig,
  measures: Readonly<Record<string, number>> = {},
): PupilError {
  const counted = Object.entries(measures).map(([name, value]) => `${name} ${value}`);
  const why = counted.length === 0 ? "" : ` (${counted.join(", ")})`;
  return new PupilError(`"${sampler.type}" gave no completion${why}.`, {
    field: "sampler",
    value: sampler.type,
    remedy: "Collect from more problems, or from others.",
  });
}

/** The collection in a folder, if it is of the same config. */
async function findCollection(
  path: string,
  config: CollectConfig,
): Promise<Collection | undefined> {
  const file = join(path, "collect.json");
  if (!(await exists(file))) {
    await requireEmptyFolder(path);
    return undefined;
  }
  const summary = (await readJsonObject(file, "collection")) as unknown as CollectSummary;
  await verifyMark(path);
  // As JSON: what is undefined here is absent there.
  const own = JSON.parse(JSON.stringify(config)) as CollectConfig;
  const changed = differences(summary.config, own).filter(
    (field) => !["output", "name", "backend"].includes(field),
  );
  if (changed.length > 0) {
    throw new PupilError(`The folder holds another collection: ${changed.join(", ")} differ.`, {
      field: path,
      remedy: "Choose another name or output, or delete this folder.",
    });
  }
  return { path, summary, examples: await firstRows(path), kept: true };
}

async function firstRows(path: string): Promise<object[]> {
  const text = await readText(join(path, "rows.jsonl"), "rows");
  return text
    .split("\n", 3)
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as object);
}
