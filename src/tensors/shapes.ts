import type * as tf from "@tensorflow/tfjs";

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
    const dimensions = pattern.split(" ");
    // In words only where it is wrong: this runs in every forward pass.
    const described = () => `${name} has shape [${tensor.shape.join(", ")}], expected [${pattern}]`;
    if (dimensions.length !== tensor.rank) throw new Error(`${described()}.`);
    for (const [axis, letter] of dimensions.entries()) {
      const size = tensor.shape[axis] as number;
      const known = sizes[letter] ?? (/^\d+$/.test(letter) ? Number(letter) : undefined);
      if (known !== undefined && known !== size) {
        throw new Error(`${described()} with ${letter} = ${known}.`);
      }
      sizes[letter] = size;
    }
  }
  return sizes;
}
