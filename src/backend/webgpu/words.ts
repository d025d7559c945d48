/** Values of a tensor as the device has them; the values themselves, if they are that. */
export function wordsOf(
  values: ArrayLike<number>,
  dtype: string | undefined,
): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> {
  const Words = dtype === "int32" || dtype === "bool" ? Int32Array : Float32Array;
  return values instanceof Words ? (values as InstanceType<typeof Words>) : Words.from(values);
}
