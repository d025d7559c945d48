import { noPosition } from "./map-positions.js";
import { bytesOfTokens, type TokenBytes, tokenEnds } from "./token-offsets.js";

/** The tokens of both sides that stand for one stretch of the text; ends are exclusive. */
export interface TokenChunk {
  readonly studentStart: number;
  readonly studentEnd: number;
  readonly teacherStart: number;
  readonly teacherEnd: number;
  /**
   * Both sides have the same bytes, but for a space at the start of the text. Where they have not
   * (case or accents removed, bytes that are no UTF-8), the probabilities are of different texts.
   */
  readonly sameBytes: boolean;
}

/** Token ids and the tokenizer they belong to. */
export interface TokenizedSide {
  readonly tokenizer: TokenBytes;
  readonly ids: readonly number[];
}

/**
 * The smallest chunks of two tokenizations of one text whose borders coincide, by byte offset.
 * Together they hold every token of both sides, each once and in order.
 *
 * Offsets are compared, not decoded pieces: a character split over tokens, a space at the start of
 * the text, or a start token on one side moves nothing. A token without bytes belongs to the chunk
 * after it, at the end of the text to the last one.
 *
 * @param text what both sides tokenize; for ids that a student sampled, `decode(ids)`
 * @see https://github.com/huggingface/trl/issues/4393 (what goes wrong with decoded pieces)
 */
export function alignTokens(
  student: TokenizedSide,
  teacher: TokenizedSide,
  text: string,
): TokenChunk[] {
  const borders = commonBorders(
    tokenEnds(student.tokenizer, student.ids, text),
    tokenEnds(teacher.tokenizer, teacher.ids, text),
  );
  let [studentStart, teacherStart] = [0, 0];
  return borders.map(([studentEnd, teacherEnd]) => {
    const sameBytes = areSame(
      bytesOfTokens(student.tokenizer, student.ids.slice(studentStart, studentEnd)),
      bytesOfTokens(teacher.tokenizer, teacher.ids.slice(teacherStart, teacherEnd)),
      studentStart === 0,
    );
    const chunk = { studentStart, studentEnd, teacherStart, teacherEnd, sameBytes };
    [studentStart, teacherStart] = [studentEnd, teacherEnd];
    return chunk;
  });
}

/** Pairs of token counts at which both sides have read the same bytes of the text. */
function commonBorders(a: Int32Array, b: Int32Array): [number, number][] {
  const borders: [number, number][] = [];
  let [i, j] = [0, 0];
  let [lastA, lastB] = [0, 0];
  for (;;) {
    const left = i > lastA ? (a[i - 1] as number) : noPosition;
    const right = j > lastB ? (b[j - 1] as number) : noPosition;
    if (left === right && left !== noPosition) {
      borders.push([i, j]);
      [lastA, lastB] = [i, j];
      if (i === a.length || j === b.length) break;
      i += 1;
      j += 1;
      continue;
    }
    // The side that is behind reads on; one whose place is unknown has to.
    const readLeft = left === noPosition || (right !== noPosition && left < right);
    const readRight = right === noPosition || (left !== noPosition && right < left);
    const canRead = (readLeft && i < a.length) || (readRight && j < b.length);
    if (!canRead) break;
    if (readLeft && i < a.length) i += 1;
    if (readRight && j < b.length) j += 1;
  }
  if (lastA === a.length && lastB === b.length) return borders;
  // Both sides end with the text: what is left is a chunk, or joins the last one.
  const hasBoth = lastA < a.length && lastB < b.length;
  return [...(hasBoth ? borders : borders.slice(0, -1)), [a.length, b.length]];
}

function areSame(a: Uint8Array, b: Uint8Array, isFirst: boolean): boolean {
  const withoutSpace = (bytes: Uint8Array, other: Uint8Array) =>
    isFirst && bytes.length === other.length + 1 && bytes[0] === 0x20 ? bytes.subarray(1) : bytes;
  const [left, right] = [withoutSpace(a, b), withoutSpace(b, a)];
  return left.length === right.length && left.every((byte, i) => byte === right[i]);
}

/**
 * Log-probability of each chunk on one side: the sum over its tokens (chain rule), each given
 * everything before it. Comparable between the sides where `sameBytes` is true.
 *
 * @param tokenLogProbs log-probability of each id, not shifted: entry i is about `ids[i]`
 */
export function chunkLogProbs(
  chunks: readonly TokenChunk[],
  side: "student" | "teacher",
  tokenLogProbs: ArrayLike<number>,
): Float64Array {
  return Float64Array.from(chunks, (chunk) => {
    const start = side === "student" ? chunk.studentStart : chunk.teacherStart;
    const end = side === "student" ? chunk.studentEnd : chunk.teacherEnd;
    if (end > tokenLogProbs.length) {
      throw new Error(`The ${side}'s chunk ends at ${end}, of ${tokenLogProbs.length} values.`);
    }
    let sum = 0;
    for (let i = start; i < end; i++) sum += tokenLogProbs[i] as number;
    return sum;
  });
}
