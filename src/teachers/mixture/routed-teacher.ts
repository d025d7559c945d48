import * as tf from "@tensorflow/tfjs-core";
import {
  type Batch,
  type PlacedSequence,
  type TokenSequence,
  withSequences,
} from "../../data/index.js";
import { PupilError } from "../../errors/index.js";
import type { Rollout } from "../../rollouts/index.js";
import { disposeAll, HostValues } from "../../tensors/index.js";
import { joinedSource } from "../score-source.js";
import { isTokenSignal } from "../signals.js";
import type { Teacher, TeacherSignal, TeacherTensors } from "../teacher.js";
import { matchesRule, type RoutedRow, type RouteRule } from "./route-rule.js";
import { leastPositions, sameVocabSize } from "./same-vocabulary.js";

export interface RoutedMember {
  readonly teacher: Teacher;
  /** Absent: takes every row that no teacher before it took. */
  readonly when?: RouteRule | undefined;
}

/**
 * Several teachers, each row scored by the first whose rule it matches. A function of the row alone:
 * the same row goes to the same teacher in every batch and every run. A teacher in this process
 * computes whole batches of which it has any row. Takes ownership of the teachers.
 *
 * @param promptText text of a row's prompt, for rules
 * @throws PupilError for teachers of different vocabularies; when scoring, for a row that no rule
 *   matches or teachers that give different numbers of tokens
 */
export function routedTeacher(
  members: readonly RoutedMember[],
  promptText: (promptIds: readonly number[]) => string,
  name = "mixture",
): Teacher {
  const teachers = members.map(({ teacher }) => teacher);
  const labels = teachers.map((teacher, i) => {
    const isFirst = teachers.findIndex((other) => other.name === teacher.name) === i;
    return isFirst ? teacher.name : `${teacher.name} (${i + 1})`;
  });
  const indexOf = (row: RoutedRow) => members.findIndex(({ when }) => matchesRule(when, row));
  const indexOfSequence = ({ ids, completionStart, id }: TokenSequence) =>
    indexOf({ prompt: promptText(ids.slice(0, completionStart)), id });
  const dispose = () => disposeAll(teachers);
  // States of layers are not merged: those of two models have nothing in common.
  const provides = (teachers[0] as Teacher).provides
    .filter(isTokenSignal)
    .filter((signal) => teachers.every((teacher) => teacher.provides.includes(signal)));
  const draws = teachers.some((teacher) => teacher.provides.includes("teacherSampleLogProbs"));
  const limits = teachers.flatMap(({ scoresOnly }) => scoresOnly ?? []);
  return {
    name,
    vocabSize: sameVocabSize(teachers),
    ...leastPositions(teachers),
    provides,
    ...sharedTemperature(teachers),
    ...(limits[0] === undefined ? {} : { scoresOnly: limits[0] }),
    knows: (row) => {
      const teacher = teachers[indexOfSequence(row)];
      return teacher !== undefined && (teacher.knows?.(row) ?? true);
    },
    ...(teachers.some(({ restrict }) => restrict !== undefined)
      ? { restrict: (row) => teachers[indexOfSequence(row)]?.restrict?.(row) ?? row }
      : {}),
    remedyForUnknownRows:
      "A row goes to the first teacher whose `when` matches: give the last one no `when` to take the rest, and check that teachers that know only some rows know theirs.",
    async score(batch, needs, context) {
      const sequences = batch.sequences as readonly PlacedSequence[];
      const indices = sequences.map((sequence) => {
        const index = indexOfSequence(sequence);
        if (index === -1) throw noRule(promptText, sequence);
        return index;
      });
      const groups = draws ? neighbours(indices) : sameTeacher(indices);
      const parts = await Promise.all(
        groups.map(async ({ index, members: own }) => {
          const part = own.map((i) => sequences[i] as PlacedSequence);
          const first = own[0] as number;
          const at = context && { ...context, firstRow: context.firstRow + first };
          const teacher = teachers[index] as Teacher;
          const scores = await teacher.score(withSequences(batch, part), needs, at);
          return { index, sequences: part, scores };
        }),
      );
      const routedRows: Record<string, number> = {};
      for (const { index, sequences: own } of parts) {
        const label = labels[index] as string;
        routedRows[label] = (routedRows[label] ?? 0) + own.length;
      }
      // The first part is what the others are laid over.
      const masks = new HostValues(() =>
        Object.fromEntries(
          parts.slice(1).map((part, i) => [`${i + 1}`, positionsOf(batch, part.sequences)]),
        ),
      );
      return {
        tensors: () =>
          tf.tidy(() => {
            const theirs = masks.tensors();
            const [first, ...others] = parts.map(({ scores }) => scores.tensors());
            return others.reduce<Partial<TeacherTensors>>((whole, part, i) => {
              return overlay(whole, part, theirs[`${i + 1}`] as tf.Tensor2D, needs);
            }, first ?? {});
          }),
        source: () =>
          joinedSource(
            JSON.stringify(["routed", needs]),
            parts.map(({ scores }) => scores),
            masks.reads(),
          ),
        routedRows,
        routes: indices.map((index) => labels[index] as string),
        dispose: () => {
          masks.dispose();
          for (const { scores } of parts) scores.dispose?.();
        },
      };
    },
    ...(teachers.every(({ complete }) => complete !== undefined)
      ? { complete: completeByPrompt(teachers, indexOf, promptText) }
      : {}),
    dispose,
    [Symbol.dispose]: dispose,
  };
}

/** Sequences of a batch that are scored together, by their place in it. */
interface Group {
  /** Of the teacher. */
  readonly index: number;
  readonly members: number[];
}

function sameTeacher(indices: readonly number[]): Group[] {
  return [...new Set(indices)].map((index) => ({
    index,
    members: indices.flatMap((other, i) => (other === index ? [i] : [])),
  }));
}

/** Draws of a sequence go by its place in the step, which only neighbours keep among themselves. */
function neighbours(indices: readonly number[]): Group[] {
  const groups: Group[] = [];
  for (const [i, index] of indices.entries()) {
    const last = groups.at(-1);
    if (last?.index === index) last.members.push(i);
    else groups.push({ index, members: [i] });
  }
  return groups;
}

/** Where some sequences of a batch are, `[B, T]`. */
function positionsOf(
  { size, sequenceLength }: Batch,
  sequences: readonly PlacedSequence[],
): tf.Tensor2D {
  const isTheirs = new Uint8Array(size * sequenceLength);
  for (const { row, start, ids } of sequences) {
    const from = row * sequenceLength + start;
    isTheirs.fill(1, from, from + ids.length - 1);
  }
  return tf.tensor2d(isTheirs, [size, sequenceLength], "bool");
}

/** `base` with what `part` says where `mask` is true. */
function overlay(
  base: Partial<TeacherTensors>,
  part: Partial<TeacherTensors>,
  mask: tf.Tensor2D,
  needs: readonly TeacherSignal[],
): Partial<TeacherTensors> {
  const merged = needs.filter(isTokenSignal).map((need) => {
    const [a, b] = [base[need], part[need]];
    if (a === undefined || b === undefined) throw new Error(`A teacher did not give ${need}.`);
    if (a.shape.join() !== b.shape.join()) {
      throw new PupilError(
        `The teachers give ${a.shape.at(-1)} and ${b.shape.at(-1)} tokens per position.`,
        { field: "teacher.teachers", remedy: "Give all of them the same topK or samples." },
      );
    }
    return [need, tf.where(a.rank === 3 ? mask.expandDims(2) : mask, b, a)];
  });
  return Object.fromEntries(merged) as Partial<TeacherTensors>;
}

function completeByPrompt(
  teachers: readonly Teacher[],
  indexOf: (row: RoutedRow) => number,
  promptText: (ids: readonly number[]) => string,
): NonNullable<Teacher["complete"]> {
  return async (prompts, options) => {
    const indices = prompts.map((ids) => {
      const index = indexOf({ prompt: promptText(ids) });
      if (index === -1) throw noRule(promptText, { ids, completionStart: ids.length });
      return index;
    });
    const rollouts: Rollout[] = [];
    for (const index of new Set(indices)) {
      const own = prompts.map((_, i) => i).filter((i) => indices[i] === index);
      const written = await teachers[index]?.complete?.(
        own.map((i) => prompts[i] as readonly number[]),
        { ...options, sequenceIds: own.map((i) => options.sequenceIds?.[i] ?? i) },
      );
      for (const [j, i] of own.entries()) rollouts[i] = written?.[j] as Rollout;
    }
    return rollouts;
  };
}

function sharedTemperature(teachers: readonly Teacher[]): Pick<Teacher, "sampleTemperature"> {
  const [first, ...others] = teachers.map(({ sampleTemperature }) => sampleTemperature);
  return first !== undefined && others.every((other) => other === first)
    ? { sampleTemperature: first }
    : {};
}

function noRule(
  promptText: (ids: readonly number[]) => string,
  { ids, completionStart, id }: TokenSequence,
): PupilError {
  const prompt = JSON.stringify(promptText(ids.slice(0, completionStart)).slice(0, 60));
  return new PupilError(
    `No teacher's \`when\` matches the row ${id ?? "without a name"} with the prompt ${prompt}.`,
    {
      field: "teacher.teachers",
      remedy: "Give the last teacher no `when`: it then takes all rows that are left.",
    },
  );
}
