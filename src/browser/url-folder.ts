import { PupilError, requireText } from "../errors/index.js";
import type { FileBytes, FolderFiles } from "../folders/index.js";
import { blobBytes, requireContent } from "./blobs.js";

/** How much of a file has come. */
export interface LoadProgress {
  readonly file: string;
  readonly loadedBytes: number;
  /** Undefined where the server does not say, or sends the file compressed. */
  readonly totalBytes: number | undefined;
}

export interface UrlFolderOptions {
  /** Called for every piece that comes. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends what is being fetched. */
  readonly signal?: AbortSignal;
  /** Sent with every request: `{ Authorization: "Bearer …" }`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A model folder that a server has, file by file: `https://example.org/models/teacher`, or of the Hub
 * `https://huggingface.co/<owner>/<model>/resolve/main`. A file is fetched once, when it is first asked
 * for; its query is the folder's. What the page asks for from elsewhere, that server must allow (CORS).
 *
 * @param url of the folder; in a page it may be relative to it
 */
export function urlFolder(url: string | URL, options: UrlFolderOptions = {}): FolderFiles {
  const base = folderAddress(url);
  const { signal, headers = {}, onProgress } = options;
  const addressOf = (file: string) => {
    const address = new URL(base);
    address.pathname += file.split("/").map(encodeURIComponent).join("/");
    return address;
  };
  // Without what may be secret in it.
  const pathOf = (file: string) => withoutQuery(addressOf(file));
  const answers = new Map<string, Promise<Response>>();
  const contents = new Map<string, Promise<FileBytes>>();

  const ask = (file: string, what: string): Promise<Response> =>
    once(answers, file, async () => {
      try {
        return await fetch(addressOf(file), { headers, ...(signal && { signal }) });
      } catch (cause) {
        signal?.throwIfAborted();
        throw unreachable(addressOf(file), pathOf(file), what, cause);
      }
    });

  const fetchContent = async (file: string, what: string): Promise<FileBytes> => {
    const answer = await ask(file, what);
    try {
      if (!answer.ok) throw refused(answer, pathOf(file), what);
      if (isPage(answer)) throw page(pathOf(file), what);
      const blob = await readBody(answer, pathOf(file), what, (loadedBytes, totalBytes) => {
        onProgress?.({ file, loadedBytes, totalBytes });
      });
      await requireContent(blob, pathOf(file), what);
      return blobBytes(blob);
    } catch (error) {
      answers.delete(file);
      signal?.throwIfAborted();
      throw error;
    }
  };

  return {
    name: withoutQuery(base),
    pathOf,
    async has(file) {
      const answer = await ask(file, "file");
      if (answer.ok && !isPage(answer)) return true;
      await answer.body?.cancel();
      if (answer.ok || isAbsent(answer)) return false;
      answers.delete(file);
      throw refused(answer, pathOf(file), "file");
    },
    list: () => Promise.resolve(undefined),
    open: (file, what) => once(contents, file, () => fetchContent(file, what)),
  };
}

/** Runs `make` for a key unless it has been; a failure is forgotten, so that one can try again. */
function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const made = known.get(key);
  if (made !== undefined) return made;
  const promise = make();
  known.set(key, promise);
  promise.catch(() => known.delete(key));
  return promise;
}

function folderAddress(url: string | URL): URL {
  if (!(url instanceof URL)) {
    requireText(url, {
      field: "urlFolder: url",
      remedy: 'Give it the address of a model folder: urlFolder("/models/teacher").',
    });
  }
  const { location } = globalThis as { location?: { readonly href: string } };
  let address: URL;
  try {
    address = new URL(url, location?.href);
  } catch (cause) {
    throw new PupilError("It is no address.", {
      field: "urlFolder: url",
      value: String(url),
      remedy: "Give a whole one, https://…; in a page it may be relative to the page.",
      cause,
    });
  }
  if (!address.pathname.endsWith("/")) address.pathname += "/";
  return address;
}

function withoutQuery(address: URL): string {
  return `${address.origin}${address.pathname}`;
}

const isPage = ({ headers }: Response) => /\btext\/html\b/.test(headers.get("content-type") ?? "");
const isAbsent = ({ status }: Response) => status === 404 || status === 410;

function page(path: string, what: string): PupilError {
  return new PupilError(`The server answers with an HTML page in the place of the ${what}.`, {
    field: path,
    remedy: "Some servers answer so for files that they lack: look at this address in a browser.",
  });
}

function refused(answer: Response, path: string, what: string): PupilError {
  const said = [answer.status, answer.statusText].filter(Boolean).join(" ");
  if (isAbsent(answer)) {
    return new PupilError(`The ${what} does not exist: the server answers ${said}.`, {
      field: path,
      remedy:
        "Give the address of a folder with config.json, model.safetensors and tokenizer.json.",
    });
  }
  const isRight = answer.status === 401 || answer.status === 403;
  return new PupilError(`The ${what} was not sent: the server answers ${said}.`, {
    field: path,
    remedy: isRight
      ? "Send what it wants with the option headers; some stores answer so for files that they lack."
      : "Try again later, or look at this address in a browser.",
  });
}

/** A page is not told why a request failed: nothing answered, or the answer was not for it. */
function unreachable(address: URL, path: string, what: string, cause: unknown): PupilError {
  const { location } = globalThis as { location?: { readonly origin: string } };
  const isForeign = location !== undefined && location.origin !== address.origin;
  const problem = `The ${what} could not be fetched (${reasonOf(cause)}).`;
  return new PupilError(problem, {
    field: path,
    remedy: isForeign
      ? `Either no server answers, or it does not allow pages of ${location.origin} to read it: it must send Access-Control-Allow-Origin (CORS).`
      : "Check the address, and that a server answers there.",
    cause,
  });
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== "" ? `${message}: ${cause.message}` : message;
}

async function readBody(
  answer: Response,
  path: string,
  what: string,
  onPiece: (loadedBytes: number, totalBytes: number | undefined) => void,
): Promise<Blob> {
  // The length is that of what is sent, which is another where it is compressed.
  const isPlain = answer.headers.get("content-encoding") === null;
  const length = answer.headers.get("content-length");
  const said = isPlain && length !== null ? Number(length) : undefined;
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let loaded = 0;
  const cut = (cause?: unknown) => {
    const of = said === undefined ? "" : ` of ${said}`;
    return new PupilError(`The ${what} was cut: ${loaded} bytes${of} came.`, {
      field: path,
      remedy: "Load it again.",
      cause,
    });
  };
  const reader = answer.body?.getReader();
  while (reader !== undefined) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw cut(cause);
    });
    if (done) break;
    pieces.push(value as Uint8Array<ArrayBuffer>);
    loaded += (value as Uint8Array).length;
    // A server of another origin may hide that it compresses.
    onPiece(loaded, said !== undefined && loaded <= said ? said : undefined);
  }
  if (said !== undefined && loaded < said) throw cut();
  return new Blob(pieces);
}
