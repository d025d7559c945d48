/** What a broadcasting kernel walks: out[outer, inner, n] with strides of a and b for each axis. */
export interface BroadcastPlan {
  readonly sizes: [outer: number, inner: number, n: number];
  readonly strides: [number, number, number, number, number, number];
}

/** The shape of an elementwise result (numpy's rules); throws for shapes that do not fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const sizeA = a[i - rank + a.length] ?? 1;
    const sizeB = b[i - rank + b.length] ?? 1;
    if (sizeA !== sizeB && sizeA !== 1 && sizeB !== 1) {
      throw new Error(
        `Operands could not be broadcast together with shapes ${a.join()} and ${b.join()}.`,
      );
    }
    return sizeA === 1 ? sizeB : sizeA;
  });
}

/**
 * Merges axes that both operands walk in the same way; undefined if more than three are left, or if
 * the last one is neither contiguous nor broadcast.
 */
export function broadcastPlan(
  a: readonly number[],
  b: readonly number[],
  out: readonly number[],
): BroadcastPlan | undefined {
  const rank = out.length;
  const sizes: number[] = [];
  const stridesA: number[] = [];
  const stridesB: number[] = [];
  let nextA = 1;
  let nextB = 1;
  // From the last axis to the first; index 0 of the lists is the innermost axis.
  for (let axis = rank - 1; axis >= 0; axis--) {
    const size = out[axis] as number;
    const sizeA = a[axis - rank + a.length] ?? 1;
    const sizeB = b[axis - rank + b.length] ?? 1;
    const strideA = sizeA === 1 ? 0 : nextA;
    const strideB = sizeB === 1 ? 0 : nextB;
    nextA *= sizeA;
    nextB *= sizeB;
    if (size === 1) continue;
    const top = sizes.length - 1;
    const mergesA = strideA === (stridesA[top] as number) * (sizes[top] as number);
    const mergesB = strideB === (stridesB[top] as number) * (sizes[top] as number);
    if (top >= 0 && mergesA && mergesB) sizes[top] = (sizes[top] as number) * size;
    else {
      sizes.push(size);
      stridesA.push(strideA);
      stridesB.push(strideB);
    }
  }
  if (sizes.length > 3) return undefined;
  const size = (i: number) => sizes[i] ?? 1;
  const A = (i: number) => stridesA[i] ?? 0;
  const B = (i: number) => stridesB[i] ?? 0;
  return { sizes: [size(2), size(1), size(0)], strides: [A(2), A(1), A(0), B(2), B(1), B(0)] };
}
