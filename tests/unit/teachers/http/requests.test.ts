import { describe, expect, test } from "vitest";
import { characterTokenizer, makeBatch } from "../../../../src/data/index.js";
import { httpTeacher, type HttpTeacherOptions } from "../../../../src/teachers/index.js";
import { Random } from "../../../../src/tensors/index.js";
import {
  fakeTeacherServer,
  type FakeTeacherOptions,
} from "../../../setup/servers/fake-teacher-server.js";

const tokenizer = characterTokenizer({ alphabet: "abcdefgh" });
const rows = [1, 2, 3, 4, 5, 6].map((id) => ({ ids: [id, 2], completionStart: 1 }));
const key = "sk-secret-123";

async function started(
  options: Partial<FakeTeacherOptions> = {},
  changes: Partial<HttpTeacherOptions> = {},
) {
  const fake = await fakeTeacherServer({ tokenizer, ...options });
  const waits: number[] = [];
  const teacher = httpTeacher({
    server: "vllm",
    url: fake.url,
    model: "fake",
    tokenizer,
    vocabSize: tokenizer.vocabSize,
    topK: 2,
    timeoutMs: 5000,
    retries: 3,
    retryDelayMs: 100,
    concurrency: 4,
    random: new Random(3),
    wait: (ms) => {
      waits.push(ms);
      return Promise.resolve();
    },
    ...changes,
  });
  const score = async (count = 1) => {
    using batch = makeBatch(rows.slice(0, count), 0);
    await teacher.score(batch, teacher.provides);
  };
  const failure = async (count = 1): Promise<string> => {
    const error = await score(count).then(
      () => new Error("Nothing was refused."),
      (reason: unknown) => reason as Error,
    );
    expect(error.name).toBe("PupilError");
    return error.message;
  };
  return { fake, waits, score, failure };
}

describe("what may pass is tried again", () => {
  test.each(["error", "cut", "malformed"] as const)("%s", async (mistake) => {
    const { fake, waits, score } = await started();
    fake.makeMistakes(mistake, mistake);
    await score();
    expect(fake.requests.length).toBe(3);
    // 100 and 200 ms, each with a jitter of ±50 %.
    expect(waits.length).toBe(2);
    expect(Math.abs((waits[0] as number) - 100)).toBeLessThan(50);
    expect(Math.abs((waits[1] as number) - 200)).toBeLessThan(100);
  });

  test("a connection that the server has closed, at once and without counting as a try", async () => {
    const { fake, waits, score, failure } = await started({}, { retries: 0 });
    fake.makeMistakes("closed");
    await score();
    expect(fake.requests.length).toBe(2);
    expect(waits).toEqual([]);
    fake.alwaysMake("closed");
    expect(await failure()).toMatch(/after 1 attempt: other side closed/);
  });

  test("after as long as the server asks for", async () => {
    const { fake, waits, score } = await started();
    fake.makeMistakes("rate-limit");
    await score();
    expect(waits).toEqual([7000]);
  });

  test("after the same delays for the same seed", async () => {
    const delays = async (seed: number) => {
      const { fake, waits, score } = await started({}, { random: new Random(seed) });
      fake.makeMistakes("error", "error", "error");
      await score();
      return waits;
    };
    expect(await delays(1)).toEqual(await delays(1));
    expect(await delays(1)).not.toEqual(await delays(2));
  });

  test("an answer that does not come in time", async () => {
    const { fake, score } = await started({}, { timeoutMs: 150 });
    fake.makeMistakes("slow");
    await score();
    expect(fake.requests.length).toBe(2);
  });
});

describe("the last failure", () => {
  test("says the address, the status, the attempts and the server's words", async () => {
    const { fake, failure } = await started();
    fake.alwaysMake("error");
    expect(await failure()).toBe(
      `${fake.url}/v1/completions: The teacher server failed after 4 attempts: ` +
        '500 Internal Server Error: {"error":"out of memory"}.',
    );
  });

  test("says that no answer came in time", async () => {
    const { fake, failure } = await started({}, { timeoutMs: 50, retries: 1 });
    fake.alwaysMake("slow");
    expect(await failure()).toMatch(
      /after 2 attempts: no answer within 0.05 seconds. Raise teacher.timeoutSeconds/,
    );
  });

  test("says that nobody listens", async () => {
    const { fake, failure } = await started();
    await fake.close();
    expect(await failure()).toMatch(/after 4 attempts: .*ECONNREFUSED.* Is the server running/);
  });

  test("says that the connection was cut", async () => {
    const { fake, failure } = await started({}, { retries: 0 });
    fake.alwaysMake("cut");
    expect(await failure()).toMatch(/after 1 attempt: other side closed/);
  });

  test("is the first where trying again is of no use", async () => {
    const { fake, failure } = await started({ model: "other" });
    expect(await failure()).toMatch(/after 1 attempt: 400 Bad Request: .*model/);
    fake.makeMistakes("html");
    expect(await failure()).toMatch(/not JSON but text\/html: <html>Log in first.*teacher\.url/);
    fake.makeMistakes("redirect");
    expect(await failure()).toMatch(/307 Temporary Redirect: \(empty\)\. Set teacher\.url/);
    expect(fake.requests.length).toBe(3);
  });

  test("shows 200 characters of a long answer, and never the key", async () => {
    const { failure } = await started({ apiKey: "another" }, { apiKey: key });
    const message = await failure();
    expect(message).toMatch(
      /401 Unauthorized: .*Wrong key: Bearer \[key\]\. x+…\. Set teacher\.apiKey/,
    );
    expect(message).not.toContain("secret");
    expect(message.length).toBeLessThan(500);
  });
});

test("the key is sent as a bearer token", async () => {
  const { score } = await started({ apiKey: key }, { apiKey: key });
  await score();
});

test("at most `concurrency` requests are open at the same time", async () => {
  const { fake, score } = await started({ delayMs: 15 }, { concurrency: 2 });
  await score(6);
  expect(fake.requests.length).toBe(6);
  expect(fake.mostAtOnce()).toBe(2);
});

test("the first failure cancels the other requests of its batch", async () => {
  const { fake, failure } = await started({ model: "other" }, { concurrency: 1 });
  await failure(6);
  expect(fake.requests.length).toBe(1);
});

test("an address may end in /v1 or a slash", async () => {
  const fake = await fakeTeacherServer({ tokenizer });
  for (const ending of ["/", "/v1", "/v1/"]) {
    const { score } = await started({}, { url: `${fake.url}${ending}` });
    await score();
  }
  expect(fake.requests.length).toBe(3);
});
