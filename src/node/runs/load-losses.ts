import { createRequire } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { oneOf, PupilError } from "../../errors/index.js";
import { type LossDefinition, lossInputs } from "../../losses/index.js";
import { readText } from "../files/read-files.js";
import { shareOwnPackages } from "./own-packages.js";

/**
 * The loss definitions that a module exports, one by one or in lists. TypeScript needs a Node that
 * strips types, or tsx beside the file.
 *
 * @throws PupilError if the file cannot be loaded, exports no definition, or a broken one
 */
export async function loadLosses(path: string): Promise<LossDefinition[]> {
  await readText(path, "file of losses");
  const module = await importOnce(path);
  const definitions = Object.entries(module).flatMap(([name, exported]) =>
    (Array.isArray(exported) ? (exported as unknown[]) : [exported])
      .filter(looksLikeDefinition)
      .map((candidate) => checkDefinition(candidate, `${path}: export ${name}`)),
  );
  // The same definition may be exported by itself and in a list.
  const unique = [...new Set(definitions)];
  if (unique.length === 0) {
    throw new PupilError("the file exports no loss definition.", {
      field: path,
      remedy: `Export what defineLoss returns. It exports: ${Object.keys(module).join(", ") || "nothing"}.`,
    });
  }
  return unique;
}

const loaded = new Map<string, Record<string, unknown>>();

/** A module once: Node would not load it again either, but would start tsx for it. */
async function importOnce(path: string): Promise<Record<string, unknown>> {
  const key = resolve(path);
  const module = loaded.get(key) ?? (await importModule(path));
  loaded.set(key, module);
  return module;
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

function looksLikeDefinition(exported: unknown): exported is Record<string, unknown> {
  return typeof exported === "object" && exported !== null && "evaluate" in exported;
}

const text = z.string();
const definitionShape = z.object({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "is not in kebab-case"),
  summary: text,
  formula: text,
  reference: text,
  per: z.enum(["token", "row"]),
  needs: z.array(z.string()).min(1),
  optional: z.array(z.string()).optional(),
  config: z.custom((x) => x instanceof z.ZodObject, "is not a Zod object schema"),
  properties: z.record(z.string(), z.unknown()),
  examples: z.array(z.record(z.string(), z.unknown())),
  evaluate: z.custom((x) => typeof x === "function", "is not a function"),
});

function checkDefinition(candidate: Record<string, unknown>, field: string): LossDefinition {
  const parsed = definitionShape.safeParse(candidate);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new PupilError(`${issue?.path.join(".")}: ${issue?.message}.`, {
      field,
      remedy: "Make it with defineLoss, which a type checker can check.",
    });
  }
  const { needs, optional = [], config } = parsed.data;
  for (const taken of ["type", "weight"]) {
    if (!(taken in (config as z.ZodObject).shape)) continue;
    throw new PupilError(`config: "${taken}" cannot be an option.`, {
      field,
      remedy: "A run config writes the loss's name and weight beside its options: rename it.",
    });
  }
  for (const input of [...needs, ...optional]) {
    if (!(input in lossInputs)) {
      throw new PupilError(`needs: there is no loss input "${input}".`, {
        field,
        remedy: oneOf(input, Object.keys(lossInputs)),
      });
    }
  }
  return candidate as unknown as LossDefinition;
}
