import * as tf from "@tensorflow/tfjs-core";
import type { RunConfig } from "../../../config/index.js";
import { makeBatch } from "../../../data/index.js";
import { oneOf, PupilError } from "../../../errors/index.js";
import { lossTermFromConfig } from "../../../losses/index.js";
import type { Decoder } from "../../../models/index.js";
import type { Teacher } from "../../../teachers/index.js";
import { readValues } from "../../../tensors/index.js";
import {
  type ComparedRow,
  compareSupports,
  type EvaluationSet,
  parameterGradients,
  type SupportComparison,
  type SupportLogits,
} from "../../../trainers/index.js";
import { assembleModels, owning } from "./assemble-models.js";
import { resolveEvaluation, resolveRunConfig } from "../evaluate-run.js";
import { isFolder } from "../../files/file-exists.js";
import { loadOwnComponents } from "../../modules/own-components.js";

export const supportGradients = ["logits", "parameters", "both"] as const;
export type SupportGradients = (typeof supportGradients)[number];

export interface SupportRequest {
  readonly config: RunConfig;
  /** Positions of held-out rows that are looked at. */
  readonly positions: number;
  readonly draws: number;
  readonly ks: readonly number[];
  /** Of what the student is differentiated by; undefined: by both where it is small. */
  readonly gradients: SupportGradients | undefined;
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
  /** What the figures are of; those by the logits are always among the rows. */
  readonly gradients: SupportGradients;
  /** Trainable ones of the student. */
  readonly numParameters: number;
}

const ownWords = { positions: "64", draws: "100", k: "1,4,16,64", gradients: "", json: "" };
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
    gradients: asked.gradients === "" ? undefined : gradientsNamed(asked.gradients),
    json: asked.json === "" ? undefined : asked.json,
  };
}

function gradientsNamed(text: string): SupportGradients {
  const found = supportGradients.find((name) => name === text);
  if (found !== undefined) return found;
  throw new PupilError(`"${text}" is nothing to differentiate by.`, {
    field: "gradients",
    value: text,
    remedy: oneOf(text, supportGradients),
  });
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

/** Gradients of all draws of one way that are held at once. */
const mostNumbers = 2 ** 26;

/** Parameters up to which gradients by them are made unless asked for otherwise: each draw is a backward pass. */
const smallStudent = 200_000;

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
  const { padId } = tokenizer;
  const { rows, ...logits } = await logitsAt({ student, teacher, padId }, set, positions);
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
  const numParameters = numTrainable(student);
  const gradients = request.gradients ?? (numParameters <= smallStudent ? "both" : "logits");
  if (gradients !== "logits") requireParameters(numParameters, request);
  const comparison = await compareSupports(logits, {
    ...{ ks, draws, random: random.stream("supports") },
    ...(gradients !== "logits" && { toParameters: parameterGradients(student, rows, padId) }),
  });
  return {
    ...comparison,
    teacher: teacher.name,
    student: config.student.from ?? "fresh weights",
    ...{ seed: config.seed, positions: count, vocabSize: logits.vocabSize },
    ...{ gradients, numParameters },
  };
}

function numTrainable(student: Decoder): number {
  return [...student.trainableParameters().values()].reduce((sum, { size }) => sum + size, 0);
}

function requireParameters(numParameters: number, { draws, gradients }: SupportRequest): void {
  const count = (n: number) => n.toLocaleString("en-US");
  if (numParameters === 0) {
    throw new PupilError("The student has no parameter that is trained.", {
      field: "gradients",
      value: gradients,
      remedy: "Use gradients=logits.",
    });
  }
  if (numParameters * draws <= mostNumbers) return;
  throw new PupilError(
    `Gradients by ${count(numParameters)} parameters in ${draws} draws do not fit.`,
    {
      field: "gradients",
      value: gradients,
      remedy: `Use gradients=logits, a smaller student, or at most ${count(Math.floor(mostNumbers / numParameters))} draws.`,
    },
  );
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
): Promise<SupportLogits & { readonly rows: readonly ComparedRow[] }> {
  const V = student.config.vocabSize;
  const parts: { student: Float32Array; teacher: Float32Array }[] = [];
  const compared: ComparedRow[] = [];
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
      compared.push({ row, positions: wanted });
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
  return {
    ...{ student: joined("student"), teacher: joined("teacher") },
    ...{ vocabSize: V, rows: compared },
  };
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
