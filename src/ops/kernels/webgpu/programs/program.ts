import { usesSubgroups } from "./reductions.js";

/**
 * A compute shader. Storage arrays and parameters are declared here and bound by the backend: parameters
 * as `p.<name>`, arrays under their names.
 */
export interface GpuProgram {
  /** Also the name of its pipeline: two programs of one name are the same. */
  readonly name: string;
  /** Scalars that come with every call, such as `rows: u32`; in this order. */
  readonly params: readonly string[];
  /** Arrays that are read, such as `x: f32`. */
  readonly reads: readonly string[];
  /** Arrays that are written, and may be read. */
  readonly writes: readonly string[];
  /** WGSL with the entry point `main`. */
  readonly code: string;
  /**
   * A program of the same arrays and parameters, every array of numbers by themselves: for where this one cannot be used because
   * arrays of two types lie in one buffer, or one of vectors begins in the middle of a vector.
   */
  readonly otherwise?: GpuProgram;
}

/** Name and type of the elements of an array as it is declared. */
export function arrayOf(declared: string): { readonly name: string; readonly type: string } {
  const [name, type] = declared.split(": ") as [string, string];
  return { name, type };
}

/** Bytes of an element of an array. */
export const bytesOfElement = (type: string): number => (type.startsWith("vec4<") ? 16 : 4);

const built = new Map<string, GpuProgram>();

/** A program by its name; built when it is first asked for. */
export function program(given: string, build: () => Omit<GpuProgram, "name">): GpuProgram {
  const name = usesSubgroups() ? `${given}, by subgroups` : given;
  const known = built.get(name) ?? { name, ...build() };
  built.set(name, known);
  return known;
}

/** WGSL: what a shader has to ask for before anything else. */
function extensionsOf(code: string): string[] {
  const hasMatrices = /\bsubgroup_matrix_/.test(code);
  return [
    ...(/\bsubgroup[A-Z]/.test(code) ? ["enable subgroups;"] : []),
    ...(/\bf16\b/.test(code) ? ["enable f16;"] : []),
    ...(hasMatrices ? ["enable chromium_experimental_subgroup_matrix;"] : []),
    // A subgroup's number is the same in all of its lanes, which the compiler cannot know.
    ...(hasMatrices ? ["diagnostic(off, chromium.subgroup_matrix_uniformity);"] : []),
  ];
}

/** The whole shader. */
export function sourceOf({ params, reads, writes, code }: GpuProgram): string {
  const array = (declared: string, at: number, access: string) => {
    const { name, type } = arrayOf(declared);
    return `@group(0) @binding(${at}) var<storage, ${access}> ${name}: array<${type}>;`;
  };
  return [
    ...extensionsOf(code),
    `struct Params { ${params.join(", ")} }`,
    "@group(0) @binding(0) var<uniform> p: Params;",
    ...reads.map((declared, i) => array(declared, i + 1, "read")),
    ...writes.map((declared, i) => array(declared, i + 1 + reads.length, "read_write")),
    code,
  ].join("\n");
}

/** The most workgroups along one axis that every adapter takes. */
const mostGroups = 65535;

/** Workgroups `[x, y, 1]` for `count` of them; the shader finds its number by {@link groupIndex}. */
export function groupsFor(count: number): [number, number, number] {
  if (count <= mostGroups) return [count, 1, 1];
  const y = Math.ceil(count / mostGroups);
  return [Math.ceil(count / y), y, 1];
}

/** WGSL: number of a workgroup, from `@builtin(workgroup_id) g` and `@builtin(num_workgroups) n`. */
export const groupIndex = "(g.x + g.y * n.x)";

/** WGSL: arguments of an entry point that works in rows. */
export const rowArguments =
  "@builtin(workgroup_id) g: vec3u, @builtin(num_workgroups) n: vec3u, " +
  "@builtin(local_invocation_index) lane: u32";
