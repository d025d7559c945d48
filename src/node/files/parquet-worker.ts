import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import type { ParquetDecoder } from "../../data/index.js";

// A string, not a file: it runs the same from sources, from dist and under a test runner. It answers
// one request at a time; what it leaves unhandled ends it, which the other side hears.
const workerSource = `
const { parentPort, workerData } = require("node:worker_threads");
const { open } = require("node:fs/promises");
let ready;
const libraries = () => (ready ??= Promise.all(workerData.map((url) => import(url))));
let last = {};
const decoder = new TextDecoder();
// JSON.parse would lose how its numbers are written: the reader parses it.
const parsers = { jsonFromBytes: (bytes) => bytes && decoder.decode(bytes) };
const answer = async ({ path, byteLength, range }) => {
  const [{ parquetMetadataAsync, parquetRead }, { compressors }] = await libraries();
  const handle = await open(path);
  try {
    const slice = async (start, end = byteLength) => {
      const bytes = new Uint8Array(Math.max(0, end - start));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
      return bytes.buffer.slice(0, bytesRead);
    };
    const file = { byteLength, slice };
    if (range === undefined || last.path !== path) {
      last = { path, metadata: await parquetMetadataAsync(file) };
    }
    const { metadata } = last;
    if (range === undefined) return metadata;
    const counts = {};
    let rows = [];
    await parquetRead({
      file, metadata, compressors, rowStart: range.start, rowEnd: range.end,
      ...(range.columns && { columns: [...range.columns] }),
      rowFormat: "object", parsers,
      onChunk: ({ columnName, columnData }) => {
        counts[columnName] = (counts[columnName] ?? 0) + columnData.length;
      },
      onComplete: (all) => { rows = all; },
    });
    return { rows, counts };
  } finally {
    await handle.close();
  }
};
parentPort.on("message", (request) => {
  answer(request).then(
    (value) => parentPort.postMessage({ value }),
    (error) => parentPort.postMessage({ error }),
  );
});
`;

interface Reply {
  readonly value?: unknown;
  readonly error?: unknown;
}

/** Of the whole process; requests wait for each other. Undefined until it is needed, or after a kill. */
let worker: Worker | undefined;
let turn: Promise<unknown> = Promise.resolve();

/**
 * Decodes a Parquet file in a thread that is ended where it takes longer than its bytes explain: one
 * wrong byte can make the decoder compute for ever.
 *
 * @param seconds for a row group however small; one more for every megabyte
 */
export function decodeInWorker(path: string, byteLength: number, seconds: number): ParquetDecoder {
  const ask = <T>(request: object, bytes: number): Promise<T> => {
    const limit = seconds + bytes / 1e6;
    const mine = turn.then(() => askOnce({ path, byteLength, ...request }, limit));
    turn = mine.catch(() => undefined);
    return mine as Promise<T>;
  };
  return {
    metadata: () => ask({}, byteLength / 100),
    rows: (metadata, range) => {
      const sizes = metadata.row_groups.map(({ total_byte_size: size }) => Number(size));
      // What a file says of its sizes may be wrong as well.
      return ask({ range }, Math.min(Math.max(0, ...sizes), 20 * byteLength));
    },
  };
}

function askOnce(request: object, limitSeconds: number): Promise<unknown> {
  const current = (worker ??= startWorker());
  // While a request runs, the thread keeps the process alive, and not between two.
  current.ref();
  return new Promise<unknown>((resolve, reject) => {
    const finish = () => {
      clearTimeout(timer);
      current.off("message", onMessage).off("error", onEnd).off("exit", onEnd).unref();
    };
    const onMessage = ({ value, error }: Reply) => {
      finish();
      if (error === undefined) resolve(value);
      else reject(error);
    };
    const onEnd = (cause: unknown) => {
      finish();
      worker = undefined;
      // What a thread that is being ended still says is of no interest.
      current.on("error", () => undefined);
      void current.terminate();
      reject(cause instanceof Error ? cause : new Error("the decoder ended by itself"));
    };
    const timer = setTimeout(
      () => onEnd(new Error(`decoding takes longer than ${Math.ceil(limitSeconds)} s`)),
      limitSeconds * 1000,
    );
    current.on("message", onMessage).on("error", onEnd).on("exit", onEnd);
    current.postMessage(request);
  });
}

function startWorker(): Worker {
  const { resolve } = createRequire(import.meta.url);
  const urls = ["hyparquet", "hyparquet-compressors"].map(
    (name) => pathToFileURL(resolve(name)).href,
  );
  return new Worker(workerSource, { eval: true, workerData: urls });
}
