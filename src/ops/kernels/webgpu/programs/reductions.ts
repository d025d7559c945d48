/** How many lanes work on a row. */
export const rowLanes = 64;

let subgroups = false;

/**
 * Whether lanes are summed by subgroup operations (WGSL's `subgroups`) from now on. Off, they meet in workgroup memory, which
 * every device can.
 */
export function setSubgroups(on: boolean): void {
  subgroups = on;
}

export const usesSubgroups = (): boolean => subgroups;

interface Combined {
  readonly combine: (a: string, b: string) => string;
  /** The subgroup operation that does the same. */
  readonly operation: "subgroupAdd" | "subgroupMax" | "subgroupMin";
}

/** WGSL: `reduce_<name>(value, lane)` over the lanes of a workgroup, the same result in all of them. */
function laneReduction(name: string, { combine, operation }: Combined, lanes: number): string {
  return `
var<workgroup> ${name}_lanes: array<f32, ${lanes}>;
fn reduce_${name}(value: f32, lane: u32) -> f32 {
${subgroups ? bySubgroups(name, operation, combine, lanes) : byHalves(name, combine, lanes)}
  workgroupBarrier();
  return result;
}`;
}

/** Half of the lanes take the other half's values, and so on: a barrier for each halving. */
const byHalves = (name: string, combine: Combined["combine"], lanes: number) => `
  ${name}_lanes[lane] = value;
  workgroupBarrier();
  for (var half = ${lanes / 2}u; half > 0u; half = half / 2u) {
    if (lane < half) {
      let a = ${name}_lanes[lane];
      let b = ${name}_lanes[lane + half];
      ${name}_lanes[lane] = ${combine("a", "b")};
    }
    workgroupBarrier();
  }
  let result = ${name}_lanes[0];`;

/**
 * One operation of each subgroup, then one value of each from workgroup memory: two barriers. How many lanes a subgroup has is
 * asked of the subgroup, as a card may have several sizes. That lanes which follow each other are in one subgroup is not
 * promised by WGSL, which is what the check at the start is for ({@link subgroupCheck}).
 */
const bySubgroups = (
  name: string,
  operation: Combined["operation"],
  combine: Combined["combine"],
  lanes: number,
) => `
  let own = ${operation}(value);
  let size = subgroupAdd(1u);
  if (lane % size == 0u) { ${name}_lanes[lane / size] = own; }
  workgroupBarrier();
  var result = ${name}_lanes[0];
  for (var i = 1u; i < ${lanes}u / size; i = i + 1u) { result = ${combine("result", `${name}_lanes[i]`)}; }`;

const sum: Combined = { combine: (a, b) => `${a} + ${b}`, operation: "subgroupAdd" };
const max: Combined = { combine: (a, b) => `max(${a}, ${b})`, operation: "subgroupMax" };
const min: Combined = { combine: (a, b) => `min(${a}, ${b})`, operation: "subgroupMin" };

export const laneSum = (lanes = rowLanes) => laneReduction("sum", sum, lanes);
export const laneMax = (lanes = rowLanes) => laneReduction("max", max, lanes);
export const laneMin = (lanes = rowLanes) => laneReduction("min", min, lanes);
