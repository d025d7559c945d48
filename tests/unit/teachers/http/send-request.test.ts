/** Requests against a `fetch` of the test's own: what is sent, repeated, and given up. */
import { describe, expect, test } from "vitest";
import { type RequestOptions, requestSender } from "../../../../src/teachers/http/send-request.js";
import { Random } from "../../../../src/tensors/index.js";

const json = (body: string, headers: Record<string, string> = {}, status = 200) =>
  new Response(body, { status, headers: { "content-type": "application/json", ...headers } });

type Answer = (init: RequestInit) => Response | Promise<Response>;

function sender(answers: readonly Answer[], changes: Partial<RequestOptions> = {}) {
  const sent: { url: string; init: RequestInit }[] = [];
  const waits: number[] = [];
  const send = requestSender({
    ...{ url: "http://host/path", timeoutMs: 60_000, retries: 4, retryDelayMs: 20_000 },
    ...{ concurrency: 1, random: new Random(1) },
    fetch: (url, init) => {
      sent.push({ url: url as string, init: init as RequestInit });
      const answer = answers[Math.min(sent.length, answers.length) - 1] as Answer;
      return Promise.resolve(answer(init as RequestInit));
    },
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    ...changes,
  });
  const { signal } = new AbortController();
  return { sent, waits, ask: (given = signal) => send({ a: 1 }, given, 1000) };
}

const busy = () => json("{}", {}, 503);
const right = () => json('{"b":2}');

test("a request is a POST of JSON that asks for JSON and follows nobody", async () => {
  const { sent, ask } = sender([right]);
  expect(await ask()).toEqual({ b: 2 });
  const [{ url, init } = { url: "", init: {} }] = sent;
  const { signal, ...others } = init;
  expect(url).toBe("http://host/path");
  expect(others).toEqual({
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/json" },
    body: '{"a":1}',
    redirect: "manual",
  });
  expect(signal?.aborted).toBe(false);
});

test("with a key it is a bearer's", async () => {
  const { sent, ask } = sender([right], { apiKey: "secret-key" });
  await ask();
  expect(sent[0]?.init.headers).toMatchObject({ authorization: "Bearer secret-key" });
});

describe("delays", () => {
  test("double up to half a minute, with a jitter of a half", async () => {
    const { waits, ask } = sender([busy, busy, busy, busy, right]);
    await ask();
    expect(waits).toHaveLength(4);
    const longest = [20_000, 30_000, 30_000, 30_000];
    const shares = waits.map((ms, i) => ms / (longest[i] as number));
    for (const share of shares) {
      expect(share).toBeGreaterThanOrEqual(0.5);
      expect(share).toBeLessThan(1.5);
    }
    expect(new Set(shares).size).toBe(4);
  });

  test("are of each request's own", async () => {
    const { waits, ask } = sender([busy, right, busy, right], { retryDelayMs: 10 });
    await ask();
    await ask();
    expect(waits).toHaveLength(2);
    expect(waits[0]).not.toBe(waits[1]);
  });

  test("are as long as the server asks, up to five minutes", async () => {
    const after = (seconds: number) => () => json("{}", { "retry-after": String(seconds) }, 429);
    const patient = sender([after(300), right]);
    await patient.ask();
    expect(patient.waits).toEqual([300_000]);
    const refused = sender([after(301), right]);
    await expect(refused.ask()).rejects.toThrow(/failed after 1 attempt: 429/);
    expect(refused.waits).toEqual([]);
    // Never shorter than our own.
    const short = sender([after(1), right]);
    await short.ask();
    expect(short.waits[0]).toBeGreaterThanOrEqual(10_000);
  });
});

describe("what is no JSON", () => {
  test("by its type is not tried again, and shown", async () => {
    const typed = (type: string) => () => json("Log\n in", { "content-type": type });
    const html = sender([typed("text/html; charset=utf-8"), right]);
    await expect(html.ask()).rejects.toThrow(
      /^http:\/\/host\/path: The teacher server failed after 1 attempt: not JSON but text\/html; charset=utf-8: Log in\. Check teacher\.url/,
    );
    expect(html.waits).toEqual([]);
    const nothing = sender([() => new Response(new Uint8Array([123, 125]))]);
    await expect(nothing.ask()).rejects.toThrow(/not JSON but no content type: \{\}/);
  });

  test("by its text is tried again", async () => {
    const cut = () => json('{"b":');
    const { waits, ask } = sender([cut, right]);
    expect(await ask()).toEqual({ b: 2 });
    expect(waits).toHaveLength(1);
    const always = sender([cut], { retries: 1 });
    await expect(always.ask()).rejects.toThrow(/after 2 attempts: malformed JSON: \{"b":\.$/);
  });

  test("a type may be of JSON by its ending", async () => {
    const { ask } = sender([() => json('{"b":2}', { "content-type": "application/problem+JSON" })]);
    expect(await ask()).toEqual({ b: 2 });
  });
});

test("an answer that is too large is not tried again", async () => {
  const { sent, ask } = sender([() => json(JSON.stringify("x".repeat(2000))), right]);
  await expect(ask()).rejects.toThrow(
    /after 1 attempt: the answer is larger than 0\.0 MiB.*something else/,
  );
  expect(sent).toHaveLength(1);
});

describe("a connection", () => {
  const lost = () => Promise.reject(new TypeError("fetch failed"));
  const torn: Answer = () =>
    new Response(new ReadableStream({ start: (out) => out.error(new Error("torn")) }), {
      headers: { "content-type": "application/json" },
    });

  test("that is lost before an answer is tried at once, and then counted", async () => {
    const { sent, waits, ask } = sender([lost, right]);
    await ask();
    expect([sent.length, waits.length]).toEqual([2, 0]);
    const gone = sender([lost], { retries: 1 });
    await expect(gone.ask()).rejects.toThrow(
      /after 2 attempts: fetch failed\. Is the server running/,
    );
    expect([gone.sent.length, gone.waits.length]).toEqual([4, 1]);
  });

  test("that is lost within an answer is a try", async () => {
    const { sent, waits, ask } = sender([torn, right]);
    await ask();
    expect([sent.length, waits.length]).toEqual([2, 1]);
  });
});

describe("an abort", () => {
  const never = ({ signal }: RequestInit) =>
    new Promise<Response>((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason as Error));
    });

  test("before a request asks nothing", async () => {
    const { sent, ask } = sender([right]);
    await expect(ask(AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    expect(sent).toHaveLength(0);
  });

  test("during one ends it as it is, and nothing is tried again", async () => {
    const ending = new AbortController();
    const { sent, waits, ask } = sender([never, right]);
    const asking = ask(ending.signal);
    await Promise.resolve();
    ending.abort(new Error("enough"));
    await expect(asking).rejects.toThrow(/^enough$/);
    expect([sent.length, waits.length]).toEqual([1, 0]);
  });

  test("that nobody makes comes after the time for an answer", async () => {
    const { sent, ask } = sender([never], { retries: 1, timeoutMs: 20 });
    await expect(ask()).rejects.toThrow(/after 2 attempts: no answer within 0\.02 seconds/);
    expect(sent).toHaveLength(2);
  });
});
