import { groupIndex, groupsFor, rowArguments } from "./program.js";

/** Threads of a workgroup of {@link perEntry}. */
const lanes = 256;

/** WGSL: an entry point whose threads have an entry `i` each, of `p.size`. */
export const perEntry = (body: string) => `
@compute @workgroup_size(${lanes})
fn main(${rowArguments}) {
  let i = ${groupIndex} * ${lanes}u + lane;
  if (i >= p.size) { return; }
  ${body}
}`;

/** The workgroups of so many entries. */
export const groupsOfEntries = (size: number) => groupsFor(Math.ceil(size / lanes));
