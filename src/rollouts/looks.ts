/** Tokens from one look of the host to the next, while nothing is known of how many are needed. */
const usual = 32;
/** At most: so that whoever waits for a page or an interrupt does not wait for long. */
const most = 64;
/** At least, since every look waits for the device. */
const least = 8;

/** When the host looks at tokens that are sampled ahead. It decides how many are sampled for nothing, never which. */
export interface Looks {
  /** How many tokens to sample, up to `left`, where `done` have been looked at. */
  next(done: number, left: number): number;
  /** So many were needed, after which every row had ended. */
  end(needed: number): void;
}

const needed = new WeakMap<object, Map<number, number>>();

/**
 * Looks where the last completions of a model were done: they end at about the same place again. Where more are needed
 * than the last time, 8 more, then 16, then 32.
 *
 * @param writer whose completions they are; nothing is remembered without one
 * @param maxNewTokens of each; how many were needed is remembered for each number of them
 */
export function looksAt(writer: object | undefined, maxNewTokens: number): Looks {
  const known = (writer && needed.get(writer)) ?? new Map<number, number>();
  const expected = known.get(maxNewTokens);
  let more = least;
  return {
    next(done, left) {
      const wanted = expected === undefined ? usual : expected - done;
      if (wanted <= 0) more *= 2;
      const ahead = wanted > 0 ? atLeast(wanted) : Math.min(usual, more / 2);
      // No look for the last few alone.
      return left - ahead < least ? left : ahead;
    },
    end(tokens) {
      if (writer) needed.set(writer, known.set(maxNewTokens, tokens));
    },
  };
}

/** Few different numbers, as buffers are kept for each. */
const atLeast = (tokens: number) => Math.min(most, least * Math.ceil(tokens / least));
