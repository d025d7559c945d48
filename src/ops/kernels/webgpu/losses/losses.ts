import type * as tf from "@tensorflow/tfjs-core";
import { groupIndex, groupsFor, program, rowArguments } from "../programs/program.js";
import { laneMax, laneSum } from "../programs/reductions.js";
import { type GpuTensors, registerGpuKernel, rowsOf } from "../programs/registry.js";
import {
  type Kind,
  lanesFor,
  lossParams,
  type LossSettings,
  rowLossProgram,
} from "./row-loss-shader.js";

type Info = tf.TensorInfo;
type Pair = { studentLogits: Info; teacherLogits: Info };
type Labelled = { logits: Info; labels: Info };

const neutral: LossSettings = { temperature: 1, labelSmoothing: 0, beta: 0.5, normalized: false };

/** A loss's kernel and its gradient's, from what the op gives to the arrays of the row shader. */
function registerLoss<I>(
  kind: Kind,
  name: string,
  given: (inputs: I) => { readonly student: Info; readonly other: Info },
): void {
  const run = (
    gpu: GpuTensors,
    inputs: I,
    settings: Partial<LossSettings>,
    output: Info,
    dy?: Info,
  ) => {
    const { student, other } = given(inputs);
    const { rows, width } = rowsOf(student);
    const shader = rowLossProgram([kind], dy ? "gradient" : "values", lanesFor(width));
    const params = [rows, width, 0, 0, ...lossParams({ ...neutral, ...settings }), 1, 1];
    gpu.run(shader, [student, other, ...(dy ? [dy] : []), output], params, groupsFor(rows));
    return output;
  };
  registerGpuKernel<I, Partial<LossSettings>>(name, (inputs, settings, gpu) => {
    const { shape } = given(inputs).student;
    return run(gpu, inputs, settings, gpu.newTensor(shape.slice(0, -1)));
  });
  registerGpuKernel<I & { dy: Info }, Partial<LossSettings>>(
    `${name}Grad`,
    (inputs, settings, gpu) =>
      run(gpu, inputs, settings, gpu.newTensor(given(inputs).student.shape), inputs.dy),
  );
}

/** WGSL: the largest logit of a row, and its total at the temperature. */
const softmaxOfRow = (lanes: number) => `
  var largest = -3.4e38;
  for (var i = lane; i < p.width; i = i + ${lanes}u) { largest = max(largest, logits[at + i]); }
  let most = reduce_max(largest, lane);
  var sum = 0.0;
  for (var i = lane; i < p.width; i = i + ${lanes}u) { sum = sum + exp((logits[at + i] - most) / p.temperature); }
  let total = reduce_sum(sum, lane);
  let log_total = log(total);`;

/** A shader over rows of logits at a temperature, and its call. */
function overLogits(
  gpu: GpuTensors,
  name: string,
  arrays: { readonly reads: readonly string[]; readonly writes: readonly string[] },
  body: (lanes: number) => string,
  { logits, others, temperature, choices }: OverLogits,
): void {
  const { rows, width } = rowsOf(logits);
  const lanes = lanesFor(width);
  const shader = program(`${name} ${lanes}`, () => ({
    params: ["rows: u32", "width: u32", "choices: u32", "temperature: f32"],
    reads: ["logits: f32", ...arrays.reads],
    writes: [...arrays.writes],
    code: `${laneSum(lanes)}${laneMax(lanes)}
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  let at = row * p.width;
  ${softmaxOfRow(lanes)}
  ${body(lanes)}
}`,
  }));
  gpu.run(shader, [logits, ...others], [rows, width, choices ?? 0, temperature], groupsFor(rows));
}

interface OverLogits {
  readonly logits: Info;
  readonly others: readonly Info[];
  readonly temperature: number;
  /** Selected words per row. */
  readonly choices?: number;
}

const eachWord = (lanes: number, code: string) =>
  `for (var i = lane; i < p.width; i = i + ${lanes}u) { ${code} }`;

function registerLogProbs(): void {
  type Attributes = { temperature: number };
  registerGpuKernel<{ logits: Info }, Attributes>(
    "PupilLogProbs",
    ({ logits }, { temperature }, gpu) => {
      const out = gpu.newTensor(logits.shape);
      const body = (lanes: number) =>
        eachWord(lanes, "y[at + i] = (logits[at + i] - most) / p.temperature - log_total;");
      const arrays = { reads: [], writes: ["y: f32"] };
      overLogits(gpu, "log probs", arrays, body, { logits, others: [out], temperature });
      return out;
    },
  );
  registerGpuKernel<{ dy: Info; logits: Info }, Attributes>(
    "PupilLogProbsGrad",
    ({ dy, logits }, { temperature }, gpu) => {
      const out = gpu.newTensor(logits.shape);
      const body = (lanes: number) => `
  var pulled = 0.0;
  ${eachWord(lanes, "pulled = pulled + dy[at + i];")}
  pulled = reduce_sum(pulled, lane);
  ${eachWord(
    lanes,
    "let q = exp((logits[at + i] - most) / p.temperature) / total; dx[at + i] = (dy[at + i] - q * pulled) / p.temperature;",
  )}`;
      const arrays = { reads: ["dy: f32"], writes: ["dx: f32"] };
      overLogits(gpu, "log probs gradient", arrays, body, {
        logits,
        others: [dy, out],
        temperature,
      });
      return out;
    },
  );
  registerGpuKernel<{ logits: Info; ids: Info }, Attributes>(
    "PupilSelectedLogProbs",
    ({ logits, ids }, { temperature }, gpu) => {
      const out = gpu.newTensor(ids.shape);
      const choices = ids.shape.at(-1) ?? 1;
      const body = (lanes: number) => `
  for (var k = lane; k < p.choices; k = k + ${lanes}u) {
    let id = u32(ids[row * p.choices + k]);
    y[row * p.choices + k] = (logits[at + id] - most) / p.temperature - log_total;
  }`;
      const arrays = { reads: ["ids: i32"], writes: ["y: f32"] };
      const call = { logits, others: [ids, out], temperature, choices };
      overLogits(gpu, "selected log probs", arrays, body, call);
      return out;
    },
  );
  registerGpuKernel<{ dy: Info; logits: Info; ids: Info }, Attributes>(
    "PupilSelectedLogProbsGrad",
    ({ dy, logits, ids }, { temperature }, gpu) => {
      const out = gpu.newTensor(logits.shape);
      const choices = ids.shape.at(-1) ?? 1;
      // One lane adds up what is selected, as a word may be selected twice.
      const body = (lanes: number) => `
  ${eachWord(lanes, "dx[at + i] = 0.0;")}
  storageBarrier();
  if (lane == 0u) {
    for (var k = 0u; k < p.choices; k = k + 1u) {
      let word = at + u32(ids[row * p.choices + k]);
      dx[word] = dx[word] + dy[row * p.choices + k];
    }
  }
  storageBarrier();
  var pulled = 0.0;
  ${eachWord(lanes, "pulled = pulled + dx[at + i];")}
  pulled = reduce_sum(pulled, lane);
  ${eachWord(
    lanes,
    "dx[at + i] = (dx[at + i] - exp((logits[at + i] - most) / p.temperature) / total * pulled) / p.temperature;",
  )}`;
      const arrays = { reads: ["dy: f32", "ids: i32"], writes: ["dx: f32"] };
      const call = { logits, others: [dy, ids, out], temperature, choices };
      overLogits(gpu, "selected log probs gradient", arrays, body, call);
      return out;
    },
  );
}

export function registerLosses(): void {
  const pair = ({ studentLogits, teacherLogits }: Pair) => ({
    ...{ student: studentLogits, other: teacherLogits },
  });
  registerLoss<Pair>("forwardKl", "PupilForwardKl", pair);
  registerLoss<Pair>("reverseKl", "PupilReverseKl", pair);
  registerLoss<Pair>("generalizedJsd", "PupilGeneralizedJsd", pair);
  registerLoss<Labelled>("crossEntropy", "PupilCrossEntropy", ({ logits, labels }) => ({
    ...{ student: logits, other: labels },
  }));
  registerLogProbs();
}
