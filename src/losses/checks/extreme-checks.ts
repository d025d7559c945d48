import { inputsOf } from "../combine.js";
import { type LossInput, lossInputFacts } from "../inputs.js";
import {
  axisOf,
  evaluateCase,
  type LossArray,
  type LossCase,
  mapCase,
  trainedInputs,
} from "./case.js";
import { always, expectFinite, type Finding, type LossCheck, wrong } from "./check.js";
import { randomCase } from "./random-case.js";

type Change = (x: number, entry: number, width: number) => number;

/** A change of the inputs that it names, or of all that start so: `student`, `teacher`. */
interface Extreme {
  readonly name: string;
  readonly changes: readonly [inputs: (input: LossInput) => boolean, change: Change][];
}

const is =
  (...names: LossInput[]) =>
  (input: LossInput) =>
    names.includes(input);
const isTrained = (input: LossInput) => lossInputFacts(input).gradient;
const isLogProb = (input: LossInput) => input.endsWith("LogProbs");
const isVector = (input: LossInput) => axisOf(input, "D") >= 0;
const isScore = is("studentScores", "teacherScores");
const isAttention = is("studentAttentions", "teacherAttentions");
const both =
  (a: (input: LossInput) => boolean, b: (input: LossInput) => boolean) => (input: LossInput) =>
    a(input) && b(input);
const not = (a: (input: LossInput) => boolean) => (input: LossInput) => !a(input);

const huge: Change = (x) => 1e4 * Math.sign(x);
const ruleOut =
  (every: number): Change =>
  (x, i) =>
    i % every === 0 ? -1e9 : x;
const oneHot =
  (at: number): Change =>
  (_x, i, width) =>
    i % width === at % width ? 0 : -1e9;

/** Not the same tokens at every position, and at least one is left of five. */
const mask =
  (first: number): Change =>
  (x, i, width) =>
    ((i % width) + first) % 3 === 0 && i % width !== 1 ? -Infinity : x;

/** With true infinities a divergence may be infinite; nothing may be NaN. */
const masks: readonly (Extreme & { readonly isFinite?: boolean })[] = [
  { name: "−Infinity of the student", changes: [[is("studentLogits"), mask(0)]] },
  { name: "−Infinity of the teacher", changes: [[is("teacherLogits"), mask(0)]] },
  {
    name: "−Infinity of both for the same tokens",
    changes: [[is("studentLogits", "teacherLogits"), mask(0)]],
    isFinite: true,
  },
  {
    name: "−Infinity of both for other tokens",
    changes: [
      [is("studentLogits"), mask(0)],
      [is("teacherLogits"), mask(1)],
    ],
  },
  { name: "listed tokens of −Infinity", changes: [[is("teacherTopLogProbs"), mask(0)]] },
  { name: "a token of −Infinity", changes: [[is("teacherTokenLogProbs"), mask(0)]] },
];

const extremes: readonly Extreme[] = [
  { name: "a student of ±1e4", changes: [[is("studentLogits"), huge]] },
  { name: "a teacher of ±1e4", changes: [[is("teacherLogits"), huge]] },
  { name: "tokens that the student rules out", changes: [[is("studentLogits"), ruleOut(2)]] },
  { name: "tokens that the teacher rules out", changes: [[is("teacherLogits"), ruleOut(2)]] },
  {
    name: "tokens that both rule out",
    changes: [[is("studentLogits", "teacherLogits"), ruleOut(2)]],
  },
  { name: "a one-hot teacher", changes: [[is("teacherLogits"), oneHot(1)]] },
  {
    name: "one-hot opposites",
    changes: [
      [is("studentLogits"), oneHot(0)],
      [is("teacherLogits"), oneHot(1)],
    ],
  },
  { name: "log-probabilities of −1e9", changes: [[isLogProb, () => -1e9]] },
  {
    name: "tokens that the student rules out alone",
    changes: [[both(isLogProb, isTrained), ruleOut(2)]],
  },
  {
    name: "tokens that the others rule out alone",
    changes: [[both(isLogProb, not(isTrained)), ruleOut(2)]],
  },
  { name: "log-probabilities of 0", changes: [[isLogProb, () => 0]] },
  { name: "advantages of ±1e4", changes: [[is("advantages"), huge]] },
  { name: "scores of ±1e4", changes: [[isScore, huge]] },
  { name: "equal scores", changes: [[isScore, () => 0.5]] },
  { name: "scores of −1e9", changes: [[is("studentScores"), ruleOut(2)]] },
  { name: "vectors of 0", changes: [[isVector, () => 0]] },
  { name: "a student's vectors of 0", changes: [[both(isVector, isTrained), () => 0]] },
  { name: "vectors of ±1e4", changes: [[isVector, huge]] },
  {
    name: "attention to one position",
    changes: [[isAttention, (_x, i, w) => Number(i % w === 0)]],
  },
  { name: "attention to nothing", changes: [[isAttention, () => 0]] },
];

/** One of everything: B, T, the vocabulary, the list. */
const single = { V: 1, K: 1, N: 1, P: 1, Q: 1, D: 1, H: 1, M: 1 };

function apply({ changes }: Extreme, values: LossCase): LossCase {
  return mapCase(values, (array, input) =>
    changes.reduce<LossArray>((current, [matches, change]) => {
      if (!matches(input)) return current;
      const width = array.shape[array.shape.length - 1] as number;
      const data = Float32Array.from(current.data, (x, i) => change(x, i, width));
      return { shape: array.shape, data };
    }, array),
  );
}

const finite: LossCheck = {
  name: "has finite values and gradients for extreme inputs",
  applies: always,
  run: async (loss) => {
    const inputs = inputsOf(loss.definition);
    const relevant = extremes.filter(({ changes }) =>
      changes.some(([matches]) => inputs.some(matches)),
    );
    const cases = [
      ...relevant.map((extreme) => [extreme.name, apply(extreme, randomCase(inputs, 2))] as const),
      ["one token, one candidate, one dimension", randomCase(inputs, 3, single)] as const,
    ];
    const findings: Finding[] = [];
    for (const [name, values] of cases) {
      const { values: found, gradients } = await evaluateCase(loss, values);
      findings.push(...expectFinite(`${name}: values`, found.data));
      for (const input of trainedInputs(loss.definition)) {
        const gradient = gradients.get(input) as Float32Array;
        findings.push(...expectFinite(`${name}: gradient of ${input}`, gradient));
      }
    }
    return findings;
  },
};

const ruledOut: LossCheck = {
  name: "is never NaN, at most infinite, where tokens are ruled out with −Infinity",
  applies: (definition) => inputsOf(definition).some((input) => canBeRuledOut.includes(input)),
  run: async (loss) => {
    const inputs = inputsOf(loss.definition);
    const findings: Finding[] = [];
    for (const { isFinite = false, ...extreme } of masks) {
      const isRelevant = extreme.changes.every(([matches]) => inputs.some(matches));
      const both = inputs.includes("studentLogits") && inputs.includes("teacherLogits");
      if (!isRelevant || (isFinite && !both)) continue;
      const { values, gradients } = await evaluateCase(loss, apply(extreme, randomCase(inputs, 2)));
      const isNaN = values.data.findIndex(Number.isNaN);
      if (isNaN >= 0 && !isFinite)
        findings.push(wrong(`${extreme.name}: entry ${isNaN} of the values is NaN`));
      const negative = values.data.findIndex((x) => x === -Infinity);
      if (negative >= 0) findings.push(wrong(`${extreme.name}: a value is −Infinity`));
      if (isFinite) findings.push(...expectFinite(`${extreme.name}: values`, values.data));
      if (!values.data.every(Number.isFinite)) continue;
      for (const input of trainedInputs(loss.definition)) {
        const gradient = gradients.get(input) as Float32Array;
        findings.push(...expectFinite(`${extreme.name}: gradient of ${input}`, gradient));
      }
    }
    return findings;
  },
};

const canBeRuledOut: readonly LossInput[] = [
  ...(["studentLogits", "teacherLogits", "teacherTopLogProbs", "teacherTokenLogProbs"] as const),
];

export const extremeChecks: readonly LossCheck[] = [finite, ruledOut];
