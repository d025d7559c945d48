import { z } from "zod";
import {
  additionSettings,
  countField,
  freshStudent,
  higher,
  keepField,
  rateField,
  rowsOf,
  sftOnRows,
  shareField,
  sizeField,
  stepsField,
  tracesStage,
  trainStage,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const metric = "heldOut.accuracy";

/** A mentor that learned from few traces of the teacher writes more of them, and gives soft labels. */
export const mentorKd = defineMethod({
  number: 12,
  name: "mentor-kd",
  title: "Mentor-KD: Making Small Language Models Better Multi-step Reasoners",
  paper: { citation: "Lee, Kim and Lee, EMNLP 2024", url: "https://arxiv.org/abs/2410.09037" },
  claim:
    "With few traces of a teacher, a student that learns the traces and the soft labels of a mentor besides beats one with either, and either beats the teacher's traces alone.",
  fidelity: "faithful",
  settings: z.strictObject({
    ...additionSettings(0),
    mentor: sizeField("S0w", "mentor"),
    traceProblems: countField(300, "the teacher solves"),
    mentorSteps: stepsField(750, "the mentor"),
    mentorTraces: z.int().min(1).default(3).describe("Traces of each problem by the mentor."),
    samplingTemperature: z.number().positive().default(1.3).describe("At which it writes them."),
    keep: keepField,
    softWeight: shareField(0.3, "λ: weight of the soft labels; the others have 1 − λ."),
    temperature: z.number().positive().default(2).describe("T of the soft labels."),
    steps: stepsField(500, "the student, in every arm"),
    learningRate: rateField(3e-3, "mentor and student"),
  }),
  paperSettings: {
    softWeight: { value: 0.3, source: "SRC" },
    temperature: { value: 2, source: "SRC" },
    mentorTraces: { value: 3, source: "SRC" },
    samplingTemperature: { value: 1.3, source: "SRC" },
    learningRate: { value: "2e-4 to 3e-4", source: "SRC" },
    batchSize: { value: 8, source: "SRC" },
    steps: { value: "20 epochs", source: "SRC" },
  },
  needs: ["solve"],
  arms(s) {
    const { steps, learningRate, softWeight, temperature } = s;
    const student = freshStudent(s.student);
    const taught = tracesStage("traces", s, {
      ...{ count: s.traceProblems, sampler: { type: "oracle" }, steps: [{ type: "correct" }] },
    });
    const mentor = sftOnRows("mentor", s, ["traces"], {
      ...{ student: freshStudent(s.mentor), steps: s.mentorSteps, learningRate },
    });
    const more = tracesStage("more", s, {
      ...{ count: s.traceProblems, teacher: "stage:mentor" },
      sampler: { type: "plain", by: "teacher", samplesPerProblem: s.mentorTraces },
      sampling: { samplingTemperature: s.samplingTemperature },
      steps: [{ type: s.keep }],
    });
    const hard = { student, steps, learningRate };
    const soft = (...rows: [string, ...string[]]) =>
      trainStage("student", s, {
        ...{ student, data: rowsOf(...rows) },
        teacher: { type: "model", from: "stage:mentor" },
        trainer: {
          ...{ type: "distill", steps, learningRate, warmupSteps: 10, schedule: "cosine" },
          onPolicyFraction: 0,
          loss: [
            { type: "cross-entropy", weight: 1 - softWeight },
            { type: "forward-kl", weight: softWeight, temperature },
          ],
        },
      });
    return {
      teacher: [taught, sftOnRows("student", s, ["traces"], hard)],
      "mentor's traces": [taught, mentor, more, sftOnRows("student", s, ["traces", "more"], hard)],
      "soft labels": [taught, mentor, soft("traces")],
      both: [taught, mentor, more, soft("traces", "more")],
    };
  },
  baseline: "teacher",
  comparisons: [
    higher(metric, "both"),
    higher(metric, "both", "mentor's traces"),
    higher(metric, "both", "soft labels"),
    higher(metric, "mentor's traces"),
    higher(metric, "soft labels"),
  ],
  metrics: [metric, "longer.accuracy", "heldOut.loss"],
  fairness: {
    equal: "steps",
    note: "All students take as many steps of as many rows; arms with a mentor pay for it besides.",
  },
  smoke: { keep: "any" },
});
