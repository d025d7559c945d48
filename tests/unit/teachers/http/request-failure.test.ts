import { expect, onTestFinished, test, vi } from "vitest";
import {
  excerpt,
  networkFailure,
  RequestFailure,
  statusFailure,
} from "../../../../src/teachers/http/request-failure.js";

const failureOf = (status: number, headers: Record<string, string> = {}) =>
  statusFailure(new Response("", { status, headers, statusText: "Words" }), "no\n  way");

test("which statuses pass", () => {
  const all = [400, 401, 403, 404, 405, 408, 413, 422, 425, 429, 500, 501, 502, 503, 504, 505];
  const passing = all.filter((status) => failureOf(status).isTransient);
  expect(passing).toEqual([408, 425, 429, 500, 502, 503, 504]);
});

test.each<[number, RegExp | undefined]>([
  [301, /Set teacher\.url to the address/],
  [302, /Set teacher\.url to the address/],
  [307, /Set teacher\.url to the address/],
  [308, /Set teacher\.url to the address/],
  [400, /smaller teacher\.topK/],
  [401, /apiKeyVariable/],
  [403, /apiKeyVariable/],
  [404, /without the path/],
  [405, /^Check teacher\.url and teacher\.server/],
  [413, /Shorten the rows/],
  [422, /another kind of server/],
  [500, undefined],
])("what helps against a %i", (status, remedy) => {
  const failure = failureOf(status);
  expect(failure.message).toBe(`${status} Words: no way`);
  if (remedy === undefined) expect(failure.remedy).toBeUndefined();
  else expect(failure.remedy).toMatch(remedy);
  expect(failure).toMatchObject({ isUnanswered: false, name: "RequestFailure" });
});

test("a status may come without words", () => {
  expect(statusFailure(new Response("", { status: 418 }), "").message).toBe("418: (empty)");
});

test("how long a server asks to wait: seconds or a date, never a time that has passed", () => {
  vi.useFakeTimers({ now: Date.UTC(2026, 0, 1, 12, 0, 0) });
  onTestFinished(() => void vi.useRealTimers());
  const wait = (header?: string) =>
    failureOf(429, header === undefined ? {} : { "retry-after": header }).retryAfterMs;
  expect(wait()).toBe(0);
  expect(wait("7")).toBe(7000);
  expect(wait("1.5")).toBe(1500);
  expect(wait("-3")).toBe(0);
  expect(wait("Thu, 01 Jan 2026 12:00:09 GMT")).toBe(9000);
  expect(wait("Thu, 01 Jan 2026 11:00:00 GMT")).toBe(0);
  expect(wait("soon")).toBe(0);
});

test("what the network says is in the innermost cause", () => {
  const inner = Object.assign(new Error("connect refused"), { code: "ECONNREFUSED" });
  const outer = new Error("fetch failed", { cause: new Error("socket", { cause: inner }) });
  const failure = networkFailure(outer, 5000, true);
  expect(failure.message).toBe("connect refused ECONNREFUSED");
  expect(failure).toMatchObject({ isTransient: true, isUnanswered: true, retryAfterMs: 0 });
  expect(failure.remedy).toMatch(/Is the server running/);
  expect(networkFailure(outer, 5000, false).isUnanswered).toBe(false);
  // A cause that is no error says nothing.
  expect(networkFailure(new Error("cut", { cause: "?" }), 1, false).message).toBe("cut");
  expect(networkFailure("a word", 1, false).message).toBe("a word");
  const nameless = Object.assign(new Error(""), { code: "EPIPE" });
  expect(networkFailure(nameless, 1, false).message).toBe("EPIPE");
});

test("no answer in time is no lost connection", () => {
  const late = networkFailure(new DOMException("late", "TimeoutError"), 1500, true);
  expect(late.message).toBe("no answer within 1.5 seconds");
  expect(late).toMatchObject({ isTransient: true, isUnanswered: false });
  expect(late.remedy).toMatch(/timeoutSeconds/);
  expect(new RequestFailure("x", { isTransient: false })).toMatchObject({
    ...{ isTransient: false, isUnanswered: false, retryAfterMs: 0, remedy: undefined },
  });
});

test("the first 200 characters on one line", () => {
  expect(excerpt(" a\n\n b\t")).toBe("a b");
  expect(excerpt(" \n")).toBe("(empty)");
  expect(excerpt("x".repeat(200))).toBe("x".repeat(200));
  expect(excerpt("x".repeat(201))).toBe(`${"x".repeat(200)}…`);
});
