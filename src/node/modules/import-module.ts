import { createRequire } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { PupilError } from "../../errors/index.js";
import { shareOwnPackages } from "./own-packages.js";

const loaded = new Map<string, Record<string, unknown>>();

/**
 * What a file exports, loaded once: Node would not load it again either, but would start tsx for it.
 * TypeScript needs a Node that strips types, or tsx beside the file.
 *
 * @throws PupilError if the file cannot be loaded
 */
export async function importOnce(path: string): Promise<Record<string, unknown>> {
  const key = resolve(path);
  const module = loaded.get(key) ?? (await importModule(path));
  loaded.set(key, module);
  return module;
}

/** The names of what a module exports, for messages; a file without any is loaded with an empty `default`. */
export function exportsOf(module: Record<string, unknown>): string {
  const names = Object.keys(module).filter((name) => {
    const value = module[name];
    const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
    return name !== "module.exports" && !(name === "default" && isEmpty);
  });
  return names.join(", ") || "nothing";
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  const isTypeScript = /^\.[mc]?tsx?$/.test(extname(path));
  const strips = (process.features as { typescript?: unknown }).typescript;
  shareOwnPackages();
  const unregister = isTypeScript && !strips ? await registerTsx(path) : undefined;
  try {
    return (await import(pathToFileURL(resolve(path)).href)) as Record<string, unknown>;
  } catch (error) {
    throw cannotLoad(path, error as NodeJS.ErrnoException);
  } finally {
    await unregister?.();
  }
}

/** Starts tsx from where the file would find it, or from where this package does. */
async function registerTsx(path: string): Promise<(() => Promise<void>) | undefined> {
  for (const from of [pathToFileURL(resolve(path)), import.meta.url]) {
    try {
      // By file: what require finds of "tsx/esm/api" is a build that cannot register.
      const tsxFolder = dirname(createRequire(from).resolve("tsx/package.json"));
      const api = pathToFileURL(join(tsxFolder, "dist/esm/api/index.mjs")).href;
      const tsx = (await import(api)) as { register(options: object): () => Promise<void> };
      // Path aliases of a tsconfig.json could make a second pupil of "pupil", beside the running one.
      return tsx.register({ tsconfig: false });
    } catch {
      continue;
    }
  }
  return undefined;
}

function cannotLoad(path: string, cause: NodeJS.ErrnoException): PupilError {
  const { code = "", message } = cause;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION" && !/\.[cm]?tsx?$/i.test(path)) {
    return new PupilError("its name is not that of a module.", {
      field: path,
      remedy: "Give a file of JavaScript (.mjs) or TypeScript (.mts).",
      cause,
    });
  }
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    return new PupilError("this Node does not read TypeScript.", {
      field: path,
      remedy: "Install tsx beside it (npm install -D tsx), use Node 22.18 or newer, or compile it.",
      cause,
    });
  }
  if (code.startsWith("ERR_REQUIRE")) {
    return new PupilError("it is TypeScript of a package that is not made of modules.", {
      field: path,
      remedy: 'Name it .mts, or put "type": "module" into its package.json.',
      cause,
    });
  }
  const missing = /Cannot find package '([^']+)'/.exec(message)?.[1];
  const remedy =
    missing === undefined
      ? "It is loaded as a module: check its imports and its syntax."
      : `Install ${missing} beside the file: npm install ${missing}.`;
  return new PupilError(`it cannot be loaded: ${message}.`, { field: path, remedy, cause });
}
