export const splitBehaviors = [
  "Removed",
  "Isolated",
  "MergedWithPrevious",
  "MergedWithNext",
  "Contiguous",
] as const;
export type SplitBehavior = (typeof splitBehaviors)[number];

/** A part of a text, and whether it matched the pattern. */
interface Span {
  start: number;
  end: number;
  readonly isMatch: boolean;
}

/** Says whether the first of some pieces still begins where the whole text did. */
export interface TextStart {
  isKept: boolean;
}

/** Where and how a text is cut. */
export interface Cut {
  /** With the flags `g` and `u`. */
  readonly pattern: RegExp;
  readonly behavior: SplitBehavior;
  /** What lies between the matches counts as the match. */
  readonly isInverted?: boolean;
  /** What the pattern sees in place of the text: as long as it, unit by unit. */
  readonly see?: (text: string) => string;
}

/**
 * Cuts a text at the matches of a pattern. What a match becomes is the behavior: left out, a piece of
 * its own, the end of the piece before, the beginning of the one after, or, where matches are
 * adjacent, one piece with them. Source: tokenizers, NormalizedString::split.
 */
export function splitText(
  text: string,
  { pattern, behavior, isInverted = false, see }: Cut,
  start?: TextStart,
): string[] {
  const spans = findSpans(see === undefined ? text : see(text), pattern, isInverted);
  const kept =
    behavior === "Removed" ? spans.filter((span) => !span.isMatch) : merge(spans, behavior);
  const pieces = kept.filter((span) => span.start < span.end);
  if (start !== undefined && (pieces[0]?.start ?? 0) > 0) start.isKept = false;
  return pieces.map((span) => text.slice(span.start, span.end));
}

/** The whole text as matches and what lies between them. */
function findSpans(text: string, pattern: RegExp, isInverted: boolean): Span[] {
  const spans: Span[] = [];
  let end = 0;
  for (const match of matches(text, pattern)) {
    if (match.start > end) spans.push({ start: end, end: match.start, isMatch: isInverted });
    spans.push({ start: match.start, end: match.end, isMatch: !isInverted });
    end = match.end;
  }
  if (end < text.length) spans.push({ start: end, end: text.length, isMatch: isInverted });
  return spans;
}

/**
 * All matches, as Rust's and Oniguruma's iterators find them: unlike JavaScript's, an empty match is
 * left out where the match before it ends, and none begins within a character (V8 finds `\B` and
 * `(?<!…)` between the two halves of one, also with the flag `u`).
 */
export function* matches(text: string, pattern: RegExp): Generator<{ start: number; end: number }> {
  pattern.lastIndex = 0;
  let lastEnd = -1;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const start = found.index;
    if (isWithinCharacter(text, start)) {
      pattern.lastIndex = start + 1;
      continue;
    }
    const end = start + found[0].length;
    if (start === end) pattern.lastIndex += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
    if (start < end || end !== lastEnd) yield { start, end };
    lastEnd = end;
  }
}

function isWithinCharacter(text: string, at: number): boolean {
  return at > 0 && (text.codePointAt(at - 1) as number) > 0xffff;
}

function merge(spans: readonly Span[], behavior: SplitBehavior): Span[] {
  if (behavior === "Isolated") return [...spans];
  const isBackwards = behavior === "MergedWithNext";
  const merged: Span[] = [];
  let wasMatch = false;
  for (const span of isBackwards ? [...spans].reverse() : spans) {
    const joins = behavior === "Contiguous" ? span.isMatch === wasMatch : span.isMatch && !wasMatch;
    const last = merged.at(-1);
    if (!joins || last === undefined) merged.push({ ...span });
    else if (isBackwards) last.start = span.start;
    else last.end = span.end;
    wasMatch = span.isMatch;
  }
  return isBackwards ? merged.reverse() : merged;
}
