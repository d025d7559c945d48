import type * as tf from "@tensorflow/tfjs-core";

/** A letter, or a number that stands for itself. */
interface Dimension {
  readonly letter: string;
  readonly fixed: number | undefined;
}
const patterns = new Map<string, readonly Dimension[]>();

/** There are few patterns, and each is read in every forward pass. */
function dimensionsOf(pattern: string): readonly Dimension[] {
  const dimensions =
    patterns.get(pattern) ??
    pattern.split(" ").map((letter) => {
      return { letter, fixed: /^\d+$/.test(letter) ? Number(letter) : undefined };
    });
  patterns.set(pattern, dimensions);
  return dimensions;
}

/**
 * Checks tensors against shapes such as `{ studentLogits: "B T V", labels: "B T" }`; a letter must
 * have one size everywhere. Returns the sizes.
 */
export function assertShape(
  tensors: Record<string, tf.Tensor>,
  shapes: Record<string, string>,
): Record<string, number> {
  const sizes: Record<string, number> = {};
  for (const [name, pattern] of Object.entries(shapes)) {
    const tensor = tensors[name];
    if (tensor === undefined) throw new Error(`Missing tensor ${name} [${pattern}].`);
    const dimensions = dimensionsOf(pattern);
    // In words only where it is wrong: this runs in every forward pass.
    const described = () => `${name} has shape [${tensor.shape.join(", ")}], expected [${pattern}]`;
    if (dimensions.length !== tensor.rank) throw new Error(`${described()}.`);
    for (let axis = 0; axis < dimensions.length; axis++) {
      const { letter, fixed } = dimensions[axis] as Dimension;
      const size = tensor.shape[axis] as number;
      const known = sizes[letter] ?? fixed;
      if (known !== undefined && known !== size) {
        throw new Error(`${described()} with ${letter} = ${known}.`);
      }
      sizes[letter] = size;
    }
  }
  return sizes;
}
