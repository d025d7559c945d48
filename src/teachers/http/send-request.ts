import pLimit from "p-limit";
import pRetry from "p-retry";
import { PupilError } from "../../errors/index.js";
import type { Random } from "../../tensors/index.js";
import { type Conceal, concealer } from "./conceal.js";
import { orAborted, readText } from "./read-body.js";
import { excerpt, networkFailure, RequestFailure, statusFailure } from "./request-failure.js";

export interface RequestOptions {
  readonly url: string;
  /** Sent as a bearer token; in no message. */
  readonly apiKey?: string | undefined;
  readonly timeoutMs: number;
  /** Further attempts after the first. */
  readonly retries: number;
  /** Before the second attempt; it doubles from there. */
  readonly retryDelayMs: number;
  /** Requests at the same time. */
  readonly concurrency: number;
  /** For the jitter of the delays. */
  readonly random: Random;
  readonly fetch?: typeof fetch;
  /** Default: a timer. */
  readonly wait?: (ms: number) => Promise<void>;
}

/** Sends a JSON body and gives the parsed answer, of at most so many bytes after unpacking. */
export type Send = (body: object, signal: AbortSignal, largestBytes: number) => Promise<unknown>;

/** No delay of our own is longer, and a server that asks for ten times as much is not waited for. */
const longestDelayMs = 30_000;

/** Of an answer that is no JSON, this much is looked at for its excerpt. */
const shownLength = 2 ** 16;

/**
 * Posts JSON, at most `concurrency` at a time. What may pass (no connection, no answer in time, a
 * cut or malformed answer, 408, 425, 429, 5xx) is repeated after a delay that doubles each time, with
 * a jitter of ±50 %, and that is never shorter than the server's Retry-After.
 *
 * An attempt ends with its signal or its time whatever the body does: in Node 20 `response.text()`
 * never settles when it is aborted while an answer is unpacked.
 *
 * @throws PupilError naming the url, the failure and the attempts; never the key, even where the
 *   server's words repeat it in an encoding of theirs
 */
export function requestSender(options: RequestOptions): Send {
  const { url, retries, retryDelayMs, concurrency, random } = options;
  const wait = options.wait ?? ((ms) => new Promise<void>((resolve) => setTimeout(resolve, ms)));
  const limit = pLimit(concurrency);
  const conceal = concealer(options.apiKey);
  let requests = 0;

  const send: Send = async (body, signal, largestBytes) => {
    const jitter = random.stream("retry", requests++);
    let attempts = 0;
    try {
      return await pRetry(
        (attempt) => {
          attempts = attempt;
          return sendOnNewConnection(() => sendOnce(body, signal, largestBytes, options, conceal));
        },
        {
          retries,
          minTimeout: 0,
          shouldRetry: async ({ error, attemptNumber }) => {
            if (signal.aborted || !(error instanceof RequestFailure)) return false;
            if (!error.isTransient || error.retryAfterMs > 10 * longestDelayMs) return false;
            const delay = Math.min(longestDelayMs, retryDelayMs * 2 ** (attemptNumber - 1));
            await wait(Math.max(error.retryAfterMs, delay * (0.5 + jitter.uniform())));
            return true;
          },
        },
      );
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      throw finalError(error, url, attempts, conceal);
    }
  };
  return (...question) => limit(() => send(...question));
}

/**
 * A server closes connections that nobody used for a few seconds, and a process that computes for
 * longer than that does not notice: such a request is sent again at once.
 */
async function sendOnNewConnection(attempt: () => Promise<unknown>): Promise<unknown> {
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof RequestFailure) || !error.isUnanswered) throw error;
    return attempt();
  }
}

async function sendOnce(
  body: object,
  signal: AbortSignal,
  largestBytes: number,
  { url, apiKey, timeoutMs, fetch: request = fetch }: RequestOptions,
  conceal: Conceal,
): Promise<unknown> {
  signal.throwIfAborted();
  let response: Response | undefined;
  let text: string;
  // Node 20 may collect the signals of AbortSignal.any and .timeout, and then never times out.
  const ending = new AbortController();
  const late = () => ending.abort(new DOMException("No answer in time.", "TimeoutError"));
  const timer = setTimeout(late, timeoutMs);
  const cancelled = () => ending.abort(signal.reason);
  signal.addEventListener("abort", cancelled, { once: true });
  try {
    const asked = request(url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify(body),
      signal: ending.signal,
      // Following one would carry the key to another host, or turn the request into a GET.
      redirect: "manual",
    });
    response = await orAborted(asked, ending.signal);
    text = await readText(response, largestBytes, ending.signal);
  } catch (error) {
    if (signal.aborted || error instanceof RequestFailure) throw error;
    throw networkFailure(error, timeoutMs, response === undefined);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancelled);
  }
  if (!response.ok) throw statusFailure(response, conceal(text));
  const contentType = response.headers.get("content-type") ?? "no content type";
  if (!/\bjson\b/i.test(contentType)) {
    throw new RequestFailure(`not JSON but ${contentType}: ${excerpt(conceal(text))}`, {
      isTransient: false,
      remedy: "Check teacher.url: something else than the server's API answers there.",
    });
  }
  try {
    return JSON.parse(text) as unknown;
  } catch {
    const problem = `malformed JSON: ${excerpt(conceal(text.slice(0, shownLength)))}`;
    throw new RequestFailure(problem, { isTransient: true });
  }
}

function finalError(
  failure: RequestFailure,
  url: string,
  attempts: number,
  conceal: Conceal,
): PupilError {
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts`;
  const message = conceal(failure.message);
  return new PupilError(`The teacher server failed after ${tries}: ${message}.`, {
    field: url,
    ...(failure.remedy === undefined ? {} : { remedy: failure.remedy }),
  });
}
