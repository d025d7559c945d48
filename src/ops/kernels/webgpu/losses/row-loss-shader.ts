import type { RowLoss } from "../../../row-losses/row-loss.js";
import { type GpuProgram, groupIndex, program, rowArguments } from "../programs/program.js";
import { laneMax, laneSum } from "../programs/reductions.js";

export type Kind = RowLoss["kind"];

/** The settings of a loss, as parameters of its shader in this order. */
export interface LossSettings {
  readonly temperature: number;
  readonly labelSmoothing: number;
  readonly beta: number;
  readonly normalized: boolean;
}

const settingNames = ["temperature", "smoothing", "beta", "normalizer"] as const;

export function lossParams({
  temperature,
  labelSmoothing,
  beta,
  normalized,
}: LossSettings): number[] {
  return [temperature, labelSmoothing, beta, normalized ? 1 / (beta * (1 - beta)) : 1];
}

/** Lanes that share a row of this many words. */
export const lanesFor = (vocabulary: number): number => (vocabulary > 2048 ? 256 : 64);

/** See `divergence.ts`: smaller probabilities count as 0. */
const smallestNormal = "1.1754943508222875e-38";

/** By kind, WGSL: what is added up over the row for the value, the value itself, and the gradient of a logit. */
const kinds: Readonly<
  Record<Kind, { readonly reads: "labels" | "teacher"; part: string; value: string; slope: string }>
> = {
  crossEntropy: {
    reads: "labels",
    part: "s",
    value:
      "log(zs) - (1.0 - smoothing) * (student[at + label] - most_s) - smoothing * sum / f32(p.width)",
    slope: "ps - select(0.0, 1.0 - smoothing, i == label) - smoothing / f32(p.width)",
  },
  forwardKl: {
    reads: "teacher",
    part: `select(0.0, pt * (lt - ls), pt >= ${smallestNormal})`,
    value: "sum",
    slope: "(ps - pt) / temperature",
  },
  reverseKl: {
    reads: "teacher",
    part: `select(0.0, ps * (ls - lt), ps >= ${smallestNormal})`,
    value: "sum",
    slope: `select(0.0, ps * (ls - lt - sum) / temperature, ps >= ${smallestNormal})`,
  },
  generalizedJsd: {
    reads: "teacher",
    part: "vec2f(beta * pt * over(pt, ps, 1.0 - beta), ps * over(ps, pt, beta))",
    value: "-(sum.x + (1.0 - beta) * sum.y) * normalizer",
    slope: "ps * (sum.y - over(ps, pt, beta)) * normalizer * (1.0 - beta) / temperature",
  },
};

export const readsTeacher = (kind: Kind): boolean => kinds[kind].reads === "teacher";

/** WGSL: `log(1 + x)`, and the logarithm of a mixture over one of its parts. */
const functions = `
fn log1p(x: f32) -> f32 {
  let z = x / (2.0 + x);
  let z2 = z * z;
  let near = 2.0 * z * (1.0 + z2 * (0.33333334 + z2 * (0.2 + z2 * (0.14285715 + z2 * 0.11111111))));
  return select(log(1.0 + x), near, abs(x) < 0.25);
}
fn over(own: f32, other: f32, w: f32) -> f32 {
  return log1p((other - own) / clamp(own, 1e-37, 1.0) * w);
}`;

/**
 * WGSL of one loss of a row. Afterwards `value<k>` is its value; `gradient<k>(i)`, which is only text, is the gradient of the
 * i-th logit.
 */
function lossCode(kind: Kind, k: number, lanes: number): { setUp: string; gradient: string } {
  const { reads, part, value, slope } = kinds[kind];
  const isPair = kind === "generalizedJsd";
  const rename = (text: string) =>
    text.replace(/\b(temperature|smoothing|beta|normalizer)\b/g, (name) => `p.${name}${k}`);
  const each = (code: string) =>
    `for (var i = lane; i < p.width; i = i + ${lanes}u) { ${rename(code)} }`;
  const hasTeacher = reads === "teacher";
  const scaled = "let s = (student[at + i] - most_s) / temperature;";
  const scaledTeacher = hasTeacher
    ? "let t = (teacher[teacher_at + i] - most_t) / temperature;"
    : "";
  const probabilities =
    `${scaled} let ps = exp(s) / zs${k}; let ls = s - log_zs${k};` +
    (hasTeacher ? `${scaledTeacher} let pt = exp(t) / zt${k}; let lt = t - log_zt${k};` : "");
  const withNumbers = (text: string) =>
    rename(text)
      .replace(/\bsum\b/g, `sum${k}`)
      .replace(/\bzs\b/g, `zs${k}`);
  const setUp = `
  var add_s${k} = 0.0;
  var add_t${k} = 0.0;
  ${each(`${scaled} add_s${k} = add_s${k} + exp(s);${hasTeacher ? `${scaledTeacher} add_t${k} = add_t${k} + exp(t);` : ""}`)}
  let zs${k} = reduce_sum(add_s${k}, lane);
  let log_zs${k} = log(zs${k});
  ${hasTeacher ? `let zt${k} = reduce_sum(add_t${k}, lane); let log_zt${k} = log(zt${k});` : ""}
  var add${k} = ${isPair ? "vec2f(0.0)" : "0.0"};
  ${each(`${probabilities} add${k} = add${k} + ${part};`)}
  let sum${k} = ${
    isPair
      ? `vec2f(reduce_sum(add${k}.x, lane), reduce_sum(add${k}.y, lane))`
      : `reduce_sum(add${k}, lane)`
  };
  let value${k} = ${withNumbers(value)};`;
  return {
    setUp,
    gradient: `{ ${rename(probabilities)} g = g + dy${k} * (${withNumbers(slope)}); }`,
  };
}

/** What a row shader gives. */
export type RowOutput =
  /** `values`, one for each row. */
  | "values"
  /** `gradient`, from `dy` of each row. */
  | "gradient"
  /** For terms of `lossesFromHidden`: `values` of every term, by row, weighted; no gradient. */
  | "weighted"
  /** The same, and the gradient in the place of the student's logits. */
  | "weighted in place";

/** The arrays of a row shader in its order, as names. */
export function rowArrays(
  losses: readonly Kind[],
  output: RowOutput,
  hasFactors = false,
): { reads: string[]; writes: string[] } {
  const isWeighted = output.startsWith("weighted");
  const inPlace = output === "weighted in place";
  return {
    reads: [
      ...(inPlace ? [] : ["student"]),
      ...(losses.some(readsTeacher) ? ["teacher"] : []),
      ...(losses.every(readsTeacher) ? [] : ["labels"]),
      ...(isWeighted ? losses.map((_, k) => `weights${k}`) : []),
      ...(output === "gradient" ? ["dy"] : []),
      ...(hasFactors && inPlace ? ["factors"] : []),
    ],
    writes: [
      ...(inPlace ? ["student"] : []),
      ...(output === "gradient" ? ["gradient"] : ["values"]),
    ],
  };
}

/**
 * Losses of rows of logits, a workgroup for each. Parameters: rows, width, the number of the first row (in labels, weights and
 * values), that of the teacher's first row, and for each loss its settings and the factors of its value and of its gradient.
 *
 * @param hasFactors whether `factors` of the gradients are data, too
 */
export function rowLossProgram(
  losses: readonly Kind[],
  output: RowOutput,
  lanes: number,
  hasFactors = false,
): GpuProgram {
  const name = `row losses ${losses.join()} ${output} ${lanes}${hasFactors ? " by factors" : ""}`;
  return program(name, () => {
    const { reads, writes } = rowArrays(losses, output, hasFactors);
    const isWeighted = output.startsWith("weighted");
    const hasTeacher = losses.some(readsTeacher);
    const declare = (name: string) => `${name}: ${name === "labels" ? "i32" : "f32"}`;
    const codes = losses.map((kind, k) => lossCode(kind, k, lanes));
    const gradient = `for (var i = lane; i < p.width; i = i + ${lanes}u) {
    var g = 0.0;
    ${codes.map((code) => code.gradient).join("\n    ")}
    ${output === "gradient" ? "gradient" : "student"}[at + i] = g;
  }`;
    const K = losses.length;
    const dys = losses.map((_, k) =>
      isWeighted
        ? `let dy${k} = w${k} * p.slope${k}${reads.includes("factors") ? ` * factors[${k}]` : ""};`
        : `let dy${k} = dy[row];`,
    );
    const weights = losses.map((_, k) => `let w${k} = weights${k}[whole];`);
    // A row without weight counts for nothing, whatever is in it.
    const skip = `if (${losses.map((_, k) => `w${k} == 0.0`).join(" && ")}) {
    if (lane == 0u) { ${losses.map((_, k) => `values[whole * ${K}u + ${k}u] = 0.0;`).join(" ")} }
    ${output === "weighted in place" ? `for (var i = lane; i < p.width; i = i + ${lanes}u) { student[at + i] = 0.0; }` : ""}
    return;
  }`;
    const values = losses.map((_, k) =>
      isWeighted
        ? `values[whole * ${K}u + ${k}u] = select(0.0, w${k} * p.scale${k} * value${k}, w${k} != 0.0);`
        : `values[row] = value${k};`,
    );
    const code = `${laneSum(lanes)}${laneMax(lanes)}${functions}
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let row = ${groupIndex};
  if (row >= p.rows) { return; }
  let whole = p.first + row;
  let at = row * p.width;
  ${hasTeacher ? "let teacher_at = (p.teacher_first + row) * p.width;" : ""}
  ${losses.every(readsTeacher) ? "" : "let label = u32(labels[whole]);"}
  ${isWeighted ? `${weights.join(" ")}\n  ${skip}` : ""}
  var largest = -3.4e38;
  for (var i = lane; i < p.width; i = i + ${lanes}u) { largest = max(largest, student[at + i]); }
  let most_s = reduce_max(largest, lane);
  ${
    hasTeacher
      ? `largest = -3.4e38;
  for (var i = lane; i < p.width; i = i + ${lanes}u) { largest = max(largest, teacher[teacher_at + i]); }
  let most_t = reduce_max(largest, lane);`
      : ""
  }
  ${codes.map(({ setUp }) => setUp).join("\n")}
  ${output === "gradient" ? "" : `if (lane == 0u) { ${values.join(" ")} }`}
  ${output === "gradient" || output === "weighted in place" ? `${dys.join(" ")}\n  ${gradient}` : ""}
}`;
    return {
      params: [
        ...["rows: u32", "width: u32", "first: u32", "teacher_first: u32"],
        ...losses.flatMap((_, k) =>
          [...settingNames, "scale", "slope"].map((name) => `${name}${k}: f32`),
        ),
      ],
      reads: reads.map(declare),
      writes: writes.map(declare),
      code,
    };
  });
}
