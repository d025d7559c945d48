import { PupilError, showValue } from "../../errors/index.js";

/** The number formats we read, with their bytes per element. */
export const safetensorsDtypes = { F32: 4, F16: 2, BF16: 2 } as const;
export type SafetensorsDtype = keyof typeof safetensorsDtypes;

/** Where a tensor lies in the file. */
export interface SafetensorsEntry {
  readonly name: string;
  readonly dtype: SafetensorsDtype;
  readonly shape: readonly number[];
  readonly numElements: number;
  /** Byte offsets from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

/** As the format has it: nothing reads more before it knows what the file is. */
export const longestHeader = 100_000_000;

/** What a file of Git LFS begins with where the content was not fetched. */
const lfsMark = "version https://git-lfs";

const damagedRemedy = "The file is damaged or incomplete: copy or download it again.";

/**
 * Reads and checks the header of a safetensors file: 8 bytes header length, JSON, data. Afterwards
 * every entry is known to lie inside the file, to have as many bytes as its shape needs, and to
 * share no byte with another; together they cover the data without a gap.
 *
 * Source: github.com/huggingface/safetensors, README "Format".
 *
 * @param bytes the file, or as much of its beginning as the header has
 * @throws PupilError naming the file, the tensor and the numbers
 */
export function readSafetensorsHeader(
  bytes: Uint8Array,
  source: string,
  fileSize = bytes.length,
): SafetensorsEntry[] {
  const json = readHeaderText(bytes, source, fileSize);
  // The format's rule; what begins so and is JSON is an object.
  if (!json.text.startsWith("{")) {
    throw new PupilError("The header does not begin with {.", {
      field: source,
      remedy: `${damagedRemedy} Or it is no safetensors file.`,
    });
  }
  let header: unknown;
  try {
    header = JSON.parse(json.text);
  } catch (cause) {
    const problem = `The header is not valid JSON (${(cause as Error).message}).`;
    throw new PupilError(problem, { field: source, remedy: damagedRemedy, cause });
  }
  const duplicate = findDuplicateKey(json.text);
  if (duplicate !== undefined) {
    throw new PupilError(`The header has the name "${duplicate}" twice.`, { field: source });
  }
  const { __metadata__: metadata, ...tensors } = header as Record<string, unknown>;
  checkMetadata(metadata, source);
  const entries = Object.entries(tensors).map(([name, entry]) =>
    readEntry(name, entry, { dataStart: json.end, fileSize, source }),
  );
  checkCoverage(entries, { dataStart: json.end, fileSize, source });
  return entries;
}

interface FileExtent {
  readonly dataStart: number;
  readonly fileSize: number;
  readonly source: string;
}

function readHeaderText(
  bytes: Uint8Array,
  source: string,
  fileSize: number,
): { text: string; end: number } {
  if (bytes.length < 8) {
    throw new PupilError(`A safetensors file has at least 8 bytes, this one has ${bytes.length}.`, {
      field: source,
      remedy: damagedRemedy,
    });
  }
  // A reader may have taken no more of the file than these 8 bytes.
  const mark = lfsMark.slice(0, bytes.length);
  if (new TextDecoder().decode(bytes.subarray(0, mark.length)) === mark) {
    throw new PupilError(
      "This is a pointer of Git LFS to the weights, not the weights themselves.",
      {
        field: source,
        remedy: "Fetch them in the clone that it is of: git lfs pull.",
      },
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, 8);
  const length = view.getBigUint64(0, true);
  const available = fileSize - 8;
  if (length > BigInt(available)) {
    throw new PupilError(
      `The header is said to have ${length} bytes, but only ${available} follow its length.`,
      { field: source, remedy: `${damagedRemedy} Or it is no safetensors file.` },
    );
  }
  if (length > BigInt(longestHeader)) {
    throw new PupilError(
      `The header has ${length} bytes; the format allows ${longestHeader.toLocaleString("en-US")}.`,
      { field: source, remedy: damagedRemedy },
    );
  }
  const end = 8 + Number(length);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, end));
    return { text, end };
  } catch (cause) {
    const problem = "The header is not valid UTF-8.";
    throw new PupilError(problem, { field: source, remedy: damagedRemedy, cause });
  }
}

/** First key that an object repeats, in JSON that is known to parse (JSON.parse keeps the last). */
export function findDuplicateKey(json: string): string | undefined {
  // Objects and arrays that are open; only objects have keys.
  const open: (Set<string> | undefined)[] = [];
  for (const [token] of json.matchAll(/"[^"\\]*(?:\\.[^"\\]*)*"(?:\s*:)?|[{}[\]]/g)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (token.endsWith(":")) {
      const key = JSON.parse(token.slice(0, token.lastIndexOf('"') + 1)) as string;
      const keys = open.at(-1);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
  }
  return undefined;
}

function checkMetadata(metadata: unknown, source: string): void {
  if (metadata === undefined) return;
  const isRecord = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (!isRecord || Object.values(metadata).some((value) => typeof value !== "string")) {
    throw new PupilError("__metadata__ must map names to texts.", { field: source });
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readEntry(name: string, entry: unknown, extent: FileExtent): SafetensorsEntry {
  const fail = (problem: string, remedy: string = damagedRemedy): never => {
    const field = `${extent.source}: tensor "${name}"`;
    throw new PupilError(problem, { field, value: entry, remedy });
  };
  const { dtype, shape, data_offsets: offsets } = (entry ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(safetensorsDtypes, dtype)) {
    const allowed = Object.keys(safetensorsDtypes).join(", ");
    return fail(`dtype ${showValue(dtype)} is not supported.`, `Allowed: ${allowed}.`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    return fail(`shape ${showValue(shape)} is not a list of sizes.`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    return fail(`data_offsets ${showValue(offsets)} is not a pair of byte offsets.`);
  }
  const [begin, end] = offsets as [number, number];
  const dataSize = extent.fileSize - extent.dataStart;
  if (begin > end || end > dataSize) {
    return fail(`data_offsets [${begin}, ${end}] lie outside the file's ${dataSize} data bytes.`);
  }
  const numElements = shape.reduce((a, b) => a * b, 1);
  const numBytes = numElements * safetensorsDtypes[dtype as SafetensorsDtype];
  if (numBytes !== end - begin) {
    return fail(
      `${dtype} [${shape.join(", ")}] needs ${numBytes} bytes, data_offsets [${begin}, ${end}] give ${end - begin}.`,
    );
  }
  return {
    name,
    dtype: dtype as SafetensorsDtype,
    shape: shape as number[],
    numElements,
    begin: extent.dataStart + begin,
    end: extent.dataStart + end,
  };
}

function checkCoverage(entries: readonly SafetensorsEntry[], extent: FileExtent): void {
  const { dataStart, fileSize, source } = extent;
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = dataStart;
  let previous = "";
  for (const { name, begin, end } of sorted) {
    if (begin !== covered) {
      const range = `[${begin - dataStart}, ${end - dataStart}]`;
      const problem =
        begin < covered
          ? `data_offsets ${range} overlap those of "${previous}", which end at ${covered - dataStart}.`
          : `data_offsets ${range} leave a gap of ${begin - covered} bytes before the tensor.`;
      throw new PupilError(problem, {
        field: `${source}: tensor "${name}"`,
        remedy: damagedRemedy,
      });
    }
    covered = end;
    previous = name;
  }
  if (covered !== fileSize) {
    const problem = `The file has ${fileSize - covered} bytes after the last tensor.`;
    throw new PupilError(problem, { field: source, remedy: damagedRemedy });
  }
}
