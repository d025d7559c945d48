import { PupilError } from "../../src/errors/index.js";
import { Random } from "../../src/tensors/index.js";
import { mutate } from "./mutators.js";
import type { FuzzTarget, Input } from "./target.js";

/** An input number `index` of a target: a function of the seed alone. */
export function makeInput(
  target: FuzzTarget,
  seeds: readonly Input[],
  seed: number,
  index: number,
): Input {
  const random = new Random(seed).stream("fuzz", target.name, index);
  const whole = random.pick(seeds);
  const names = Object.keys(whole);
  const chosen = random.pick(names);
  const bytes = whole[chosen] as Uint8Array;
  const shapes = target.shapes[chosen] ?? target.shapes["*"] ?? [];
  return { ...whole, [chosen]: mutate(bytes, shapes, random) };
}

/** More than this for one input of some kilobytes is a fault. */
const mostBytes = 256 * 2 ** 20;
const mostMilliseconds = 4_000;

/** What is wrong with how a reader takes an input; undefined for a right value or a PupilError. */
export async function faultOf(target: FuzzTarget, input: Input): Promise<string | undefined> {
  const rejections: unknown[] = [];
  const onRejection = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", onRejection);
  const peak = process.resourceUsage().maxRSS;
  const cpu = process.cpuUsage();
  try {
    const fault = await outcome(target, input);
    // Rejections are reported once the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve));
    if (fault !== undefined) return fault;
    if (rejections.length > 0) return `unhandled rejection: ${describe(rejections[0])}`;
    const { user, system } = process.cpuUsage(cpu);
    if ((user + system) / 1000 > mostMilliseconds) return "slow: more than 4 seconds of computing";
    const grown = (process.resourceUsage().maxRSS - peak) * 1024;
    return grown > mostBytes ? "memory: grew by more than 256 MiB" : undefined;
  } finally {
    process.off("unhandledRejection", onRejection);
  }
}

async function outcome(target: FuzzTarget, input: Input): Promise<string | undefined> {
  let value: unknown;
  try {
    value = await target.read(input);
  } catch (error) {
    if (!(error instanceof PupilError)) return `wrong error: ${describe(error)}`;
    if (error.message.length > 20_000) return "a message of more than 20,000 characters";
    return rawWords.test(error.message) && !rawWords.test(textsOf(input))
      ? `message: ${error.message.slice(0, 300)}`
      : undefined;
  }
  return oddValue(value, target) ?? target.check?.(value, input);
}

/** How a JavaScript engine, not Python's ('bool' object …), talks of mistakes in a program: no help to who reads it. */
const rawWords =
  /Cannot (read|set|convert)|(?<!' object )is not (a function|iterable|defined)|\[object |call stack/;

function textsOf(input: Input): string {
  return Object.values(input)
    .map((bytes) => new TextDecoder().decode(bytes))
    .join("\n");
}

/** NaN or undefined, where they may not be, anywhere in a result. */
function oddValue(
  value: unknown,
  { allowsUndefined = false, allowsNaN = false }: FuzzTarget,
): string | undefined {
  const open: { value: unknown; path: string; depth: number }[] = [{ value, path: "", depth: 0 }];
  for (let i = 0; i < open.length && i < 20_000; i++) {
    const { value: here, path, depth } = open[i] as { value: unknown; path: string; depth: number };
    if (!allowsNaN && Number.isNaN(here)) return `NaN in the result at ${path}`;
    if (here === undefined && depth > 0 && !allowsUndefined)
      return `undefined in the result at ${path}`;
    if (typeof here !== "object" || here === null || ArrayBuffer.isView(here) || depth > 12)
      continue;
    const entries = here instanceof Map ? [...here] : Object.entries(here);
    for (const [key, inner] of entries) {
      open.push({ value: inner, path: `${path}.${String(key).slice(0, 20)}`, depth: depth + 1 });
    }
  }
  return undefined;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, 300);
  const place = /\n\s+at .*?((?:src|node_modules)\/[^\s)]+)/.exec(error.stack ?? "")?.[1] ?? "";
  return `${error.name}: ${error.message.slice(0, 200)} (${place})`;
}
