/**
 * Servers that misbehave in every way we know of, by seed, asked by the teachers of src/teachers/http. A
 * case is right when the scores are the model's own, or a PupilError is raised, in time and without the
 * key.
 *
 *     npx tsx scripts/faults/servers.ts --count 10000 --seed 1
 *     npx tsx scripts/faults/servers.ts --seed 1 --only 4711     one case, in words
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { characterTokenizer, makeBatch, type TokenSequence } from "../../src/data/index.js";
import { PupilError } from "../../src/errors/index.js";
import { httpTeacher, type TeacherServer, teacherServers } from "../../src/teachers/index.js";
import { Random } from "../../src/tensors/index.js";
import {
  fakeRoutes,
  knownLogProbs,
  likeliest,
  type PositionChange,
} from "../../tests/setup/servers/fake-teacher-protocols.js";
import { contradicts, jsonFaults, tokenFaults } from "./answer-faults.js";
import { choose, type Exchange, httpFaults } from "./http-faults.js";
import { encodedKey, leaks, randomKey } from "./keys.js";

export interface FaultOptions {
  readonly count: number;
  readonly seed: number;
  report(line: string): void;
}

export interface FaultFigures {
  readonly cases: number;
  /** Scores that are not the model's though the answer contradicts itself, and errors that are no PupilError. */
  readonly wrong: number;
  /** Not settled within the time that the timeouts allow. */
  readonly hangs: number;
  /** Errors that hold a piece of the key in any encoding. */
  readonly leaks: number;
}

type Stream = ReturnType<Random["stream"]>;

/** One server that misbehaves, and what it is asked. */
interface Case {
  readonly number: number;
  readonly pick: Stream;
  readonly server: TeacherServer;
  readonly key: string;
  readonly topK: number;
  readonly sequences: readonly TokenSequence[];
  readonly fault: string;
  readonly retries: number;
  /** The first so many requests are spoiled. */
  readonly spoiled: number;
  requests: number;
  /** Whether some answer was wrong in a way that it does not show itself. */
  invisible: boolean;
}

const tokenizers = ["abcdefgh", "abcdefghijklmnopqrstuvwx", "xyz"].map((alphabet) =>
  characterTokenizer({ alphabet }),
);
/** Faults that only a timeout ends, which is short for them. */
const stalling = ["slow drip", "packed slow drip", "packed and stalled", "silence"];
const shortTimeoutMs = 300;
const longTimeoutMs = 8000;
/** For a machine that is busy with other things; a hang lasts for ever. */
const patienceMs = 60_000;
const atOnce = 12;
const routes = tokenizers.map((tokenizer) =>
  fakeRoutes({ tokenizer, largestTopK: tokenizer.vocabSize }),
);
const kinds = [
  ...Object.keys(httpFaults),
  ...Object.keys(tokenFaults),
  ...Object.keys(jsonFaults),
  "none",
];

function caseOf(number: number, seed: number): Case {
  const pick = new Random(seed).stream("faulty-server", number);
  const { vocabSize } = tokenizerOf(number);
  const sequences = Array.from({ length: 1 + pick.integer(3) }, () => {
    const ids = Array.from({ length: 3 + pick.integer(5) }, () => pick.integer(vocabSize));
    return { ids, completionStart: 1 + pick.integer(ids.length - 1) };
  });
  return {
    ...{ number, pick, sequences, requests: 0, invisible: false },
    server: choose(pick, teacherServers),
    key: randomKey(pick),
    topK: 1 + pick.integer(Math.min(4, vocabSize - 1)),
    fault: choose(pick, kinds),
    retries: pick.integer(2),
    spoiled: pick.integer(3) === 0 ? 1 : Infinity,
  };
}

function tokenizerOf(number: number) {
  return tokenizers[number % tokenizers.length] as (typeof tokenizers)[number];
}

/** The answer of a case's server to a request. */
function answer(one: Case, body: Record<string, unknown>, exchange: Omit<Exchange, "right">): void {
  const { number, fault, server, topK, pick } = one;
  const spoils = one.requests++ < one.spoiled;
  const path = (exchange.request.url ?? "").replace(/^\/\d+/, "");
  const route = routes[number % routes.length]?.[path];
  if (route === undefined) throw new Error(`No ${path}.`);
  const change = spoils ? tokenFaults[fault] : undefined;
  const watched: PositionChange | undefined =
    change &&
    ((positions, size) =>
      seen(
        change(positions, size),
        positions.map(({ id }) => id),
      ));
  const seen = (changed: ReturnType<PositionChange>, sent: readonly number[]) => {
    const isLlama = server === "llama.cpp";
    // llama.cpp tells of one position, the others of all, or of all from some start on.
    const first = isLlama ? changed.length - 1 : 1;
    const asked = (i: number) => isLlama || i >= firstAsked(one, sent);
    // Behind openai's echo comes what was generated, which may pass for a last token that is missing.
    const wrongLength = changed.length !== sent.length && !isLlama && server !== "openai";
    const shows = changed
      .slice(first)
      .some((position, k) =>
        contradicts(position, server, topK, sent.slice(first)[k] as number, asked(first + k)),
      );
    if (!wrongLength && !shows) one.invisible = true;
    return changed;
  };
  const spoiltJson = spoils ? jsonFaults[fault] : undefined;
  const right = () => {
    const given = route(body, watched);
    const spoilt = spoiltJson ? spoiltJson.change(given as Record<string, unknown>, pick) : given;
    return JSON.stringify(spoilt);
  };
  const spoil = spoils ? httpFaults[fault] : undefined;
  if (spoil !== undefined) return spoil({ ...exchange, right });
  exchange.response.writeHead(200, { "content-type": "application/json" }).end(right());
}

/** Index in the last tokens of a sequence of the first that something is asked about. */
function firstAsked({ sequences }: Case, sent: readonly number[]): number {
  const indices = sequences
    .filter(({ ids }) => ids.slice(-sent.length).join() === sent.join())
    .map(({ ids, completionStart }) => completionStart - (ids.length - sent.length));
  return Math.min(...indices);
}

async function textFrom(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}

async function handle(
  cases: ReadonlyMap<number, Case>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const one = cases.get(Number(/^\/(\d+)\//.exec(request.url ?? "")?.[1]));
  try {
    const body = JSON.parse(await textFrom(request)) as Record<string, unknown>;
    if (one === undefined) throw new Error("The case is over.");
    const { key, pick } = one;
    answer(one, body, { request, response, pick, echo: () => encodedKey(key, pick) });
  } catch (error) {
    if (!response.headersSent) response.writeHead(500).end((error as Error).message);
  }
}

type Outcome = "right" | "refused" | "invisible" | "wrong" | "hang" | "leak";

/** Whether the scores are those of the model. */
function isTrue(one: Case, tensors: Readonly<Record<string, unknown>>): boolean {
  const { vocabSize } = tokenizerOf(one.number);
  const own = tensors["teacherTokenLogProbs"] as number[][];
  const ids = tensors["teacherTokenIds"] as number[][][];
  const top = tensors["teacherTopLogProbs"] as number[][][];
  const close = (a: number | undefined, b: number | undefined) =>
    Math.abs((a as number) - (b as number)) < 2e-3 * Math.max(1, Math.abs(b as number));
  return one.sequences.every((sequence, row) =>
    sequence.ids.every((id, p) => {
      if (p < sequence.completionStart) return true;
      const truth = knownLogProbs(sequence.ids.slice(0, p), vocabSize);
      const wanted = likeliest(truth, one.topK);
      if (!close(own[row]?.[p - 1], truth[id])) return false;
      return wanted.every(
        (token, k) =>
          ids[row]?.[p - 1]?.[k] === token && close(top[row]?.[p - 1]?.[k], truth[token]),
      );
    }),
  );
}

async function outcomeOf(one: Case, url: string): Promise<{ outcome: Outcome; words: string }> {
  const tokenizer = tokenizerOf(one.number);
  const teacher = httpTeacher({
    ...{ server: one.server, url: `${url}/${one.number}`, model: "fake", tokenizer },
    ...{ vocabSize: tokenizer.vocabSize, topK: one.topK, apiKey: one.key },
    timeoutMs: stalling.includes(one.fault) ? shortTimeoutMs : longTimeoutMs,
    ...{ retries: one.retries, retryDelayMs: 1, concurrency: 3, random: new Random(one.number) },
    wait: () => Promise.resolve(),
  });
  using batch = makeBatch(one.sequences, 0);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), patienceMs);
  });
  try {
    const given = await Promise.race([teacher.score(batch, teacher.provides), late]);
    if (given === "late") return { outcome: "hang", words: "no answer" };
    const tensors = tf.tidy(() => {
      const { layers: _layers, ...ofTokens } = given.tensors();
      return Object.fromEntries(
        Object.entries(ofTokens).map(([name, tensor]) => [name, tensor.arraySync()]),
      );
    });
    if (isTrue(one, tensors)) return { outcome: "right", words: "the model's scores" };
    if (one.invisible) return { outcome: "invisible", words: "wrong, and nothing shows it" };
    return { outcome: "wrong", words: JSON.stringify(tensors) };
  } catch (error) {
    const words = wordsOf(error);
    if (leaks(words, one.key)) return { outcome: "leak", words };
    return { outcome: error instanceof PupilError ? "refused" : "wrong", words };
  } finally {
    clearTimeout(timer);
  }
}

/** All that an error carries, its causes too. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, stack, cause, ...fields } = error as Error & Record<string, unknown>;
  const more = Object.entries(fields).map(([name, value]) => `${name} ${String(value)}`);
  return [message, stack, ...more, cause === undefined ? "" : wordsOf(cause)].join("\n");
}

export async function faultServers({ count, seed, report }: FaultOptions): Promise<FaultFigures> {
  return run(
    Array.from({ length: count }, (_, i) => i),
    seed,
    report,
    false,
  );
}

async function run(
  numbers: readonly number[],
  seed: number,
  report: (line: string) => void,
  tellsAll: boolean,
): Promise<FaultFigures> {
  const running = new Map<number, Case>();
  const server = createServer((request, response) => {
    response.on("error", () => undefined);
    void handle(running, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const tally = new Map<Outcome, number>();
  const stray: unknown[] = [];
  const onStray = (error: unknown) => void stray.push(error);
  process.on("unhandledRejection", onStray);
  const waiting = [...numbers];
  const work = async () => {
    for (let number = waiting.shift(); number !== undefined; number = waiting.shift()) {
      const one = caseOf(number, seed);
      running.set(number, one);
      const { outcome, words } = await outcomeOf(one, url);
      running.delete(number);
      tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
      const isBad = outcome === "wrong" || outcome === "hang" || outcome === "leak";
      if (isBad || tellsAll) {
        report(`case ${number} of seed ${seed}: ${one.server}, ${one.fault}: ${outcome}: ${words}`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: atOnce }, work));
    // A rejection that nobody handles is told of a little later.
    await new Promise((resolve) => setTimeout(resolve, 50));
  } finally {
    process.off("unhandledRejection", onStray);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  for (const error of stray) report(`a rejection that nobody handled: ${wordsOf(error)}`);
  const of = (outcome: Outcome) => tally.get(outcome) ?? 0;
  report(
    `${numbers.length} faulty servers of seed ${seed}: ${of("right")} scored rightly, ${of("refused")} refused, ` +
      `${of("invisible")} wrong without showing it, ${of("wrong") + stray.length} wrong, ${of("hang")} hang, ${of("leak")} show the key`,
  );
  return {
    cases: numbers.length,
    wrong: of("wrong") + stray.length,
    hangs: of("hang"),
    leaks: of("leak"),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      only: { type: "string" },
    },
  });
  const [count, seed] = [Number(values.count), Number(values.seed)];
  const report = (line: string) => void process.stdout.write(`${line}\n`);
  const figures =
    values.only === undefined
      ? await faultServers({ count, seed, report })
      : await run([Number(values.only)], seed, report, true);
  if (figures.wrong + figures.hangs + figures.leaks > 0) process.exitCode = 1;
}
