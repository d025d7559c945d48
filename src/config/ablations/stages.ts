import type { z } from "zod";
import { oneOf, PupilError } from "../../errors/index.js";
import type { runConfigSchema } from "../run.js";
import type { ChoiceInput } from "./choice.js";

/** What a run stage says: a run config without what the runner sets. */
export type StageRun = Omit<z.input<typeof runConfigSchema>, "name" | "seed" | "output">;

/**
 * One link of an arm: a run that trains, a collect that writes traces or pairs to a file, or a choice
 * among the products of such stages. A string `stage:<name>` anywhere in its config is what an earlier
 * stage of the arm made: the model of a run, the rows of a collect, whichever of them was chosen.
 */
export interface Stage {
  readonly name: string;
  readonly run?: StageRun;
  /** As in a file of `pupil collect`. */
  readonly collect?: Readonly<Record<string, unknown>>;
  readonly choose?: ChoiceInput;
  /** Made once, with seed 1, for all seeds: a teacher, say. */
  readonly once?: boolean;
}

/** What the runner decides itself: every seed of every arm gets its own. */
export const reservedFields = ["seed", "name", "output"];

export type StageKind = "run" | "collect" | "choose";
/** What a product is: the model of a run, or the rows of a collect. */
export type ProductKind = Exclude<StageKind, "choose">;

export function kindOf({ run, choose }: Pick<Stage, "run" | "choose">): StageKind {
  if (run !== undefined) return "run";
  return choose === undefined ? "collect" : "choose";
}

/** The config of a stage, whatever its kind. */
export function configOf({ run, collect, choose }: Stage): Readonly<Record<string, unknown>> {
  return run ?? collect ?? choose ?? {};
}

const reference = /^stage:(.*)$/s;

/** A use of an earlier stage's product: where in the config, and which stage. */
export interface StageReference {
  readonly path: readonly string[];
  readonly stage: string;
}

/** Every `stage:<name>` in a config. */
export function stageReferences(config: unknown, path: readonly string[] = []): StageReference[] {
  if (typeof config === "string") {
    const stage = reference.exec(config)?.[1];
    return stage === undefined ? [] : [{ path, stage }];
  }
  if (typeof config !== "object" || config === null) return [];
  return Object.entries(config).flatMap(([key, value]) => stageReferences(value, [...path, key]));
}

/** The config with something else in place of every `stage:<name>`. */
export function replaceReferences<T>(config: T, replace: (stage: string) => string): T {
  const walk = (value: unknown): unknown => {
    if (typeof value === "string") {
      const stage = reference.exec(value)?.[1];
      return stage === undefined ? value : replace(stage);
    }
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(config) as T;
}

/** First keys of fields that read the rows of a collect, and of those that load the model of a run. */
const fieldsOf: Record<ProductKind, readonly string[]> = {
  collect: ["data", "problems"],
  run: ["student", "teacher", "tokenizer"],
};

/**
 * Checks the stages of an arm as a chain: names, references to earlier stages of the right kind, every
 * stage needed by a later one, and a run at the end.
 *
 * @param source for messages: `file.json: arms.redi`
 * @throws PupilError naming the stage
 */
export function checkChain(stages: readonly Stage[], source: string): void {
  const last = stages.at(-1);
  if (last === undefined || kindOf(last) !== "run") {
    throw new PupilError(
      last === undefined
        ? "the arm has no stage."
        : `its last stage, "${last.name}", is a ${nouns[kindOf(last)]}: there is nothing to measure.`,
      { field: source, remedy: "End it with a run, whose measures are the arm's." },
    );
  }
  const earlier = new Map<string, Stage>();
  for (const stage of stages) {
    const field = `${source}: ${stage.name}`;
    checkStage(stage, field);
    if (earlier.has(stage.name)) {
      throw new PupilError(`two stages of the arm are called "${stage.name}".`, {
        field: source,
        remedy: "Give every stage a name of its own.",
      });
    }
    for (const found of stageReferences(configOf(stage))) {
      checkReference(stage, found, earlier, field);
    }
    checkCandidates(stage, earlier, field);
    earlier.set(stage.name, stage);
  }
  const used = new Set(
    stages.flatMap((stage) => stageReferences(configOf(stage))).map(({ stage }) => stage),
  );
  const idle = stages.slice(0, -1).find(({ name }) => !used.has(name));
  if (idle === undefined) return;
  throw new PupilError(`no later stage of the arm uses "${idle.name}".`, {
    field: source,
    remedy: `Leave it out, or name "stage:${idle.name}" where its product is needed.`,
  });
}

const nouns: Record<StageKind, string> = { run: "run", collect: "collect", choose: "choice" };
const products: Record<ProductKind, string> = { run: "a model", collect: "rows" };

/** What a stage makes; a choice makes what its candidates make. Its references were checked. */
function productKind(stage: Stage, earlier: ReadonlyMap<string, Stage>): ProductKind {
  const kind = kindOf(stage);
  if (kind !== "choose") return kind;
  const [first] = Object.values(stage.choose?.candidates ?? {});
  const taken = earlier.get(stageReferences(first?.take)[0]?.stage ?? "");
  return taken === undefined ? "collect" : productKind(taken, earlier);
}

function checkCandidates(
  { choose }: Stage,
  earlier: ReadonlyMap<string, Stage>,
  field: string,
): void {
  const kinds = Object.entries(choose?.candidates ?? {}).flatMap(([name, { take, score }]) => {
    const scorer = earlier.get(stageReferences(score)[0]?.stage ?? "");
    if (scorer?.choose !== undefined) {
      throw new PupilError("a choice measures nothing itself.", {
        field: `${field}: candidates.${name}.score`,
        value: score,
        remedy: "Name a run or a collect.",
      });
    }
    const taken = earlier.get(stageReferences(take)[0]?.stage ?? "");
    return taken === undefined ? [] : [{ name, kind: productKind(taken, earlier) }];
  });
  const [first] = kinds;
  const other = kinds.find(({ kind }) => kind !== first?.kind);
  if (first === undefined || other === undefined) return;
  throw new PupilError(
    `"${first.name}" is ${products[first.kind]} and "${other.name}" is ${products[other.kind]}: whoever uses the choice needs one of the two.`,
    { field: `${field}: candidates`, remedy: "Choose among models, or among rows." },
  );
}

function checkStage(stage: Stage, field: string): void {
  const { name, run, collect, choose } = stage;
  if (!/^[\w][\w.-]*$/.test(name)) {
    throw new PupilError("a stage's name needs letters, digits, dots, dashes and underscores.", {
      field,
      value: name,
    });
  }
  if ([run, collect, choose].filter((config) => config !== undefined).length !== 1) {
    throw new PupilError("a stage is a run, a collect or a choice.", {
      field,
      remedy:
        'Give one of the three: "run" trains a student, "collect" writes traces or pairs, "choose" takes the best of what stages made.',
    });
  }
  const config = configOf(stage);
  const taken = reservedFields.find((key) => config[key] !== undefined);
  if (taken === undefined) return;
  throw new PupilError(`"${taken}" is set by the runner: all arms have the same seeds.`, {
    field,
    value: config[taken],
    remedy: 'Leave it out; "once" makes a stage once for all seeds.',
  });
}

function checkReference(
  stage: Stage,
  { path, stage: name }: StageReference,
  earlier: ReadonlyMap<string, Stage>,
  source: string,
): void {
  const field = `${source}: ${path.join(".")}`;
  const value = `stage:${name}`;
  const found = earlier.get(name);
  if (found === undefined) {
    const names = [...earlier.keys()];
    throw new PupilError(`no earlier stage of the arm is called "${name}".`, {
      field,
      value,
      remedy: names.length === 0 ? "There is no earlier stage." : oneOf(name, names),
    });
  }
  const [root = ""] = path;
  const made = productKind(found, earlier);
  const other = made === "run" ? "collect" : "run";
  if (fieldsOf[other].includes(root)) {
    throw new PupilError(
      `needs ${products[other]}, but the stage "${name}" makes ${products[made]}.`,
      { field, value, remedy: `Name a stage that is a ${other}.` },
    );
  }
  if (stage.once === true && found.once !== true) {
    throw new PupilError(`is made once for all seeds, but from "${name}", which every seed has.`, {
      field,
      value,
      remedy: `Set "once" of "${name}" too, or of neither.`,
    });
  }
}
