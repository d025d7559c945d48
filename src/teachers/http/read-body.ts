import { RequestFailure } from "./request-failure.js";

/** Of an answer that says that something failed, no more than this is read. */
const longestComplaint = 2 ** 16;

/** Longest text that JavaScript engines hold, about. */
const longestText = 2 ** 29 - 2 ** 16;

/** How many bytes an answer may have, unpacked, of which so many are what was asked for. */
export function largestAnswer(askedBytes: number): number {
  return Math.min(longestText, 2 ** 20 + askedBytes);
}

/**
 * The text of an answer, read by chunks, so that it ends with the signal and at a size, whatever the
 * connection or the unpacking does.
 *
 * @param largestBytes after unpacking; a complaint (a status that is not ok) is cut off instead
 * @throws RequestFailure if there are more bytes than that, and the signal's reason
 */
export async function readText(
  response: Response,
  largestBytes: number,
  signal: AbortSignal,
): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  const parts: string[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await orAborted(reader.read(), signal);
      if (done) break;
      bytes += value.byteLength;
      if (response.ok && bytes > largestBytes) throw tooLarge(largestBytes);
      parts.push(decoder.decode(value, { stream: true }));
      if (!response.ok && bytes > longestComplaint) break;
    }
    parts.push(decoder.decode());
    return parts.join("");
  } finally {
    // Not waited for: this may be what never settles. After the end it does nothing.
    reader.cancel().catch(() => undefined);
  }
}

/** What a promise comes to, or the signal's reason, whichever is first. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let abort: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (abort !== undefined) signal.removeEventListener("abort", abort);
  }
}

function tooLarge(largestBytes: number): RequestFailure {
  const limit = `${(largestBytes / 2 ** 20).toFixed(1)} MiB`;
  return new RequestFailure(
    `the answer is larger than ${limit}, more than what was asked for can take`,
    {
      isTransient: false,
      remedy:
        "Check teacher.url and teacher.server: something else than its API answers, or it sends more than asked.",
    },
  );
}
