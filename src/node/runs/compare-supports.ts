import * as tf from "@tensorflow/tfjs";
import type { RunConfig } from "../../config/index.js";
import { makeBatch } from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import { lossTermFromConfig } from "../../losses/index.js";
import type { Decoder } from "../../models/index.js";
import type { Teacher } from "../../teachers/index.js";
import { readValues } from "../../tensors/index.js";
import {
  compareSupports,
  type EvaluationSet,
  type SupportComparison,
  type SupportLogits,
} from "../../trainers/index.js";
import { assembleModels, owning } from "./assemble-models.js";
import { resolveEvaluation, resolveRunConfig } from "./evaluate-run.js";
import { isFolder } from "../files/file-exists.js";
import { loadOwnComponents } from "../modules/own-components.js";

export interface SupportRequest {
  readonly config: RunConfig;
  /** Positions of held-out rows that are looked at. */
  readonly positions: number;
  readonly draws: number;
  readonly ks: readonly number[];
  /** File for the figures. */
  readonly json: string | undefined;
}

/** What was measured, with all that decides it. */
export interface SupportReport extends SupportComparison {
  readonly teacher: string;
  readonly student: string;
  readonly seed: number;
  readonly positions: number;
  readonly vocabSize: number;
}

const ownWords = { positions: "64", draws: "100", k: "1,4,16,64", json: "" };
type OwnWord = keyof typeof ownWords;

/** What `pupil compare-supports` was asked to do: a run config, or a run folder for its trained student. */
export async function resolveSupports(
  path: string,
  words: readonly string[],
): Promise<SupportRequest> {
  const isOwn = (word: string) => Object.keys(ownWords).some((name) => word.startsWith(`${name}=`));
  const given = words.filter(isOwn).map((word) => {
    const at = word.indexOf("=");
    return [word.slice(0, at), word.slice(at + 1)] as const;
  });
  const asked = { ...ownWords, ...Object.fromEntries(given) } as Record<OwnWord, string>;
  const rest = words.filter((word) => !isOwn(word));
  const config = (await isFolder(path))
    ? await resolveEvaluation(path, rest)
    : (await resolveRunConfig(path, rest)).config;
  return {
    config,
    positions: wholeNumber("positions", asked.positions, 1),
    // A standard error of the bias needs three.
    draws: wholeNumber("draws", asked.draws, 3),
    ks: asked.k.split(",").map((text) => wholeNumber("k", text, 1)),
    json: asked.json === "" ? undefined : asked.json,
  };
}

function wholeNumber(field: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least) return value;
  throw new PupilError(`${text} is no whole number from ${least}.`, {
    field,
    value: text,
    remedy: `Use: ${field}=${ownWords[field as OwnWord]}.`,
  });
}

/** Gradients of all ways and draws of one k that are held at once. */
const mostNumbers = 2 ** 26;

/** Compares the ways on a config's student and teacher, at positions of its held-out rows. */
export async function compareRunSupports(request: SupportRequest): Promise<SupportReport> {
  const { config, positions, draws, ks } = request;
  if (config.teacher === undefined) {
    throw new PupilError("There is no teacher to say little about.", {
      field: "teacher",
      remedy: "Give one whose distribution is known, such as a model folder or an n-gram.",
    });
  }
  const components = await loadOwnComponents(config);
  const loss = config.trainer.loss.map((term) => lossTermFromConfig(term, components.losses));
  using models = await owning((own) =>
    assembleModels(config, { loss, components, trains: false }, own),
  );
  const { student, teacher, data, tokenizer, random } = models;
  if (teacher === undefined || !teacher.provides.includes("teacherLogits")) {
    throw new PupilError("The teacher does not give its whole distribution.", {
      field: "teacher",
      remedy:
        "Use one that is in this process, without topK and samples: a model, n-gram, hidden-markov or bimodal.",
    });
  }
  const [set] = data.evaluation as readonly [EvaluationSet];
  const logits = await logitsAt({ student, teacher, padId: tokenizer.padId }, set, positions);
  const count = logits.student.length / logits.vocabSize;
  if (count * logits.vocabSize * draws > mostNumbers) {
    const most = Math.floor(mostNumbers / (logits.vocabSize * draws));
    throw new PupilError(
      `${count} positions of ${logits.vocabSize} tokens in ${draws} draws do not fit.`,
      {
        field: "positions",
        value: positions,
        remedy: `Use positions=${Math.max(1, most)}, or fewer draws.`,
      },
    );
  }
  const comparison = await compareSupports(logits, {
    ks,
    draws,
    random: random.stream("supports"),
  });
  return {
    ...comparison,
    teacher: teacher.name,
    student: config.student.from ?? "fresh weights",
    ...{ seed: config.seed, positions: count, vocabSize: logits.vocabSize },
  };
}

interface ComparedModels {
  readonly student: Decoder;
  readonly teacher: Teacher;
  readonly padId: number;
}

/** Logits of both models at learned positions of the first rows of a set, spread evenly over them. */
async function logitsAt(
  { student, teacher, padId }: ComparedModels,
  { rows }: EvaluationSet,
  positions: number,
): Promise<SupportLogits> {
  const V = student.config.vocabSize;
  const parts: { student: Float32Array; teacher: Float32Array }[] = [];
  let found = 0;
  const perRow = Math.max(1, Math.ceil(positions / Math.max(1, rows.length)));
  for (const row of rows) {
    if (found >= positions) break;
    using batch = makeBatch([row], padId);
    const scores = await teacher.score(batch, ["teacherLogits"]);
    try {
      const learned = await maskedPlaces(batch.completionMask);
      const wanted = spread(learned, Math.min(perRow, positions - found));
      if (wanted.length === 0) continue;
      const read = (make: () => tf.Tensor3D) => {
        const at = tf.tidy(() => tf.gather(make().reshape([-1, V]), tf.tensor1d(wanted, "int32")));
        return readValues(at, "float32") as Promise<Float32Array>;
      };
      parts.push({
        student: await read(() => student.forward(batch)),
        teacher: await read(() => scores.tensors().teacherLogits as tf.Tensor3D),
      });
      found += wanted.length;
    } finally {
      scores.dispose?.();
    }
  }
  if (found === 0) {
    throw new PupilError("The held-out rows have no position to compare at.", {
      field: "data",
      remedy: "Use data whose rows have completions.",
    });
  }
  const joined = (side: "student" | "teacher") => {
    const all = new Float32Array(found * V);
    let start = 0;
    for (const part of parts) {
      all.set(part[side], start);
      start += part[side].length;
    }
    return all;
  };
  return { student: joined("student"), teacher: joined("teacher"), vocabSize: V };
}

async function maskedPlaces(mask: tf.Tensor2D): Promise<number[]> {
  const values = await readValues(mask.clone(), "float32");
  return [...values.entries()].flatMap(([i, value]) => (value > 0 ? [i] : []));
}

function spread(places: readonly number[], count: number): number[] {
  const { length } = places;
  const few = Math.min(count, length);
  return Array.from({ length: few }, (_, i) => places[Math.floor((i * length) / few)] as number);
}
