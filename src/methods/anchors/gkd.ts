import { z } from "zod";
import {
  baseSettings,
  type BaseSettings,
  additionProblems,
  distillArm,
  distillSettings,
  higher,
  isTask,
  stepsField,
  withTask,
} from "../blocks/index.js";
import { defineMethod } from "../define.js";

const settings = z.strictObject({
  ...baseSettings({ problems: additionProblems(2) }),
  ...distillSettings({ sftSteps: 300, steps: 200 }),
  digits: z
    .tuple([z.int().min(1), z.int().min(1)])
    .default([2, 3])
    .describe("Of additions: their digits, where traces are short and where they are long."),
  longSftSteps: stepsField(650, "the SFT where traces are long, so that it leaves as many wrong"),
});
type Settings = z.output<typeof settings>;

/** Who writes the prefixes × which way the KL goes, at one length of traces. */
function armsAt(s: Settings, length: string) {
  return {
    [`off, forward${length}`]: distillArm(s, {
      onPolicyFraction: 0,
      loss: [{ type: "forward-kl" }],
    }),
    [`on, forward${length}`]: distillArm(s, {
      onPolicyFraction: 1,
      loss: [{ type: "forward-kl" }],
    }),
    [`off, reverse${length}`]: distillArm(s, {
      onPolicyFraction: 0,
      loss: [{ type: "reverse-kl" }],
    }),
    [`on, reverse${length}`]: distillArm(s, {
      onPolicyFraction: 1,
      loss: [{ type: "reverse-kl" }],
    }),
  };
}

/** Lengths are a matter of the task; other problems have one. */
const hasLengths = ({ problems }: BaseSettings) =>
  isTask(problems) && problems.task.type === "addition";

const metric = "heldOut.accuracy";
const gain = (length: string, weight: number) => [
  { arm: `on, reverse${length}`, metric, weight },
  { arm: `off, reverse${length}`, metric, weight: -weight },
];
const better = (length: string) => higher(metric, `on, reverse${length}`, `off, reverse${length}`);

/** Generalized knowledge distillation: the student learns on what it writes itself. */
export const gkd = defineMethod({
  name: "gkd",
  title: "On-Policy Distillation of Language Models (GKD)",
  paper: { citation: "Agarwal et al., ICLR 2024", url: "https://arxiv.org/abs/2306.13649" },
  claim:
    "At equal steps a student that learns on its own completions beats one that learns on given ones, the more so the longer the trace.",
  fidelity: "faithful",
  settings,
  paperSettings: {
    onPolicy: { value: "λ of 0, 0.5 and 1", source: "REC", here: "0 and 1" },
    divergence: { value: "forward and reverse KL, JSD", source: "REC", here: "both KLs" },
    teacher: { value: "T5-XL", source: "REC" },
    student: { value: "T5-small to T5-large", source: "REC" },
  },
  needs: ["completion"],
  arms(s) {
    if (!hasLengths(s)) return armsAt(s, "");
    const at = (digits: number, length: string, sftSteps: number) => {
      const task = { minDigits: digits, maxDigits: digits };
      return armsAt({ ...s, sftSteps, problems: withTask(s.problems, task) }, length);
    };
    const [short, long] = s.digits;
    return { ...at(short, ", short", s.sftSteps), ...at(long, ", long", s.longSftSteps) };
  },
  baseline: (s) => (hasLengths(s) ? "off, forward, long" : "off, forward"),
  comparisons: (s) =>
    hasLengths(s)
      ? [better(", long"), { derived: "more so when long", direction: "higher" }]
      : [better("")],
  derived: (s) => {
    const terms = [...gain(", long", 1), ...gain(", short", -1)];
    return hasLengths(s) ? { "more so when long": { type: "contrast", terms } } : {};
  },
  metrics: [metric, "heldOut.loss", "heldOut.forwardKl", "heldOut.reverseKl"],
  fairness: {
    equal: "steps",
    note: "All arms of a length begin with the same SFT and take as many optimizer steps of as many rows; on-policy arms pay for sampling besides.",
  },
});
