import { createRequire } from "node:module";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { oneOf, PupilError } from "../errors/index.js";
import { type LossDefinition, lossInputs } from "../losses/index.js";
import { readText } from "./read-files.js";

/**
 * The loss definitions that a module exports, one by one or in lists. TypeScript needs a Node that
 * strips types, or tsx beside the file.
 *
 * @throws PupilError if the file cannot be loaded, exports no definition, or a broken one
 */
export async function loadLosses(path: string): Promise<LossDefinition[]> {
  await readText(path, "file of losses");
  const module = await importModule(path);
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

async function importModule(path: string): Promise<Record<string, unknown>> {
  const url = pathToFileURL(resolve(path)).href;
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_UNKNOWN_FILE_EXTENSION" && /^\.[mc]?tsx?$/.test(extname(path))) {
      return importTypeScript(path, url);
    }
    throw cannotLoad(path, message, error);
  }
}

async function importTypeScript(path: string, url: string): Promise<Record<string, unknown>> {
  const unregister = await registerTsx(path);
  if (unregister === undefined) {
    throw new PupilError("this Node does not read TypeScript.", {
      field: path,
      remedy: "Install tsx beside it (npm install -D tsx), use Node 22.18 or newer, or compile it.",
    });
  }
  try {
    return (await import(url)) as Record<string, unknown>;
  } catch (error) {
    throw cannotLoad(path, (error as Error).message, error);
  } finally {
    await unregister();
  }
}

/** Starts tsx from where the file would find it, or from where this package does. */
async function registerTsx(path: string): Promise<(() => Promise<void>) | undefined> {
  for (const from of [pathToFileURL(resolve(path)), import.meta.url]) {
    try {
      const found = createRequire(from).resolve("tsx/esm/api");
      const tsx = (await import(pathToFileURL(found).href)) as {
        register(): () => Promise<void>;
      };
      return tsx.register();
    } catch {
      continue;
    }
  }
  return undefined;
}

function cannotLoad(path: string, message: string, cause: unknown): PupilError {
  const remedy = message.includes("'pupil'")
    ? "Install pupil beside the file (npm install pupil)."
    : "It is loaded as a module: check its imports and its syntax.";
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
  const { needs, optional = [] } = parsed.data;
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
