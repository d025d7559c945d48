/**
 * A 64-bit hash of text as two unsigned words: the same in every runtime, not cryptographic. Used
 * for vocabulary fingerprints and for assigning problems to splits.
 */
export function hashText(text: string): [number, number] {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x9e3779b1);
    b = Math.imul(b ^ unit, 0x5f356495);
    // Rotation brings the well-mixed high bits down, where the next unit is added.
    a = (a << 13) | (a >>> 19);
    b = (b << 17) | (b >>> 15);
  }
  return [mix(a ^ mix(b)), mix(b ^ mix(a + 1))];
}

/** `hashText` as 16 hexadecimal digits. */
export function hashHex(text: string): string {
  return hashText(text)
    .map((word) => word.toString(16).padStart(8, "0"))
    .join("");
}

/** `hashText` as a number in [0, 1). */
export function hashFraction(text: string): number {
  return hashText(text)[0] / 0x1_0000_0000;
}

/** The finalizer of MurmurHash3: every input bit changes every output bit with probability 1/2. */
export function mix(word: number): number {
  let h = word >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 53-bit hash of token ids, to find rows that are equal. */
export function hashIds(ids: readonly number[]): number {
  let a = 0xdeadbeef ^ ids.length;
  let b = 0x41c6ce57;
  for (const id of ids) {
    a = mix(a ^ id);
    b = Math.imul(b ^ a, 0x5f356495) + id;
  }
  return mix(a ^ mix(b)) * 0x20_0000 + (mix(b ^ mix(a + 1)) >>> 11);
}
