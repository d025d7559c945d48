import type { z } from "zod";
import { firstProblem, PupilError } from "../../errors/index.js";
import { readText } from "../files/read-files.js";
import { exportsOf, importOnce } from "./import-module.js";

/** What the modules of one list in a config export. */
export interface ModuleKind<D extends { readonly name: string }> {
  /** One definition, in words: `loss`, `task`. */
  readonly noun: string;
  /** The same for several, which is the name of the list in a config too. */
  readonly plural: string;
  /** What makes one, such as `defineLoss`. */
  readonly define: string;
  /** Names that are taken. */
  readonly builtIn: readonly { readonly name: string }[];
  /** A member that tells such a definition from everything else a module exports. */
  readonly mark: string;
  /** A member that such a definition does not have, and another kind with that mark has. */
  readonly otherThan?: string;
  readonly shape: z.ZodType;
  /** Options that a config has beside the definition's own. */
  readonly reserved: readonly string[];
  /** What the shape cannot say. @throws PupilError about `field` */
  check?(definition: D, field: string): void;
}

/**
 * The definitions that a module exports, one by one or in lists.
 *
 * @throws PupilError if the file cannot be loaded, exports no definition, or a broken one
 */
export async function loadModule<D extends { readonly name: string }>(
  kind: ModuleKind<D>,
  path: string,
): Promise<D[]> {
  const { noun, plural, define } = kind;
  await readText(path, `file of ${plural}`);
  const module = await importOnce(path);
  const unique = definitionsIn(kind, module, path);
  if (unique.length === 0) {
    throw new PupilError(`the file exports no ${noun} definition.`, {
      field: path,
      remedy: `Export what ${define} returns. It exports: ${exportsOf(module)}.`,
    });
  }
  return unique;
}

/** Those of one kind among the exports of a module. */
export function definitionsIn<D extends { readonly name: string }>(
  kind: ModuleKind<D>,
  module: Readonly<Record<string, unknown>>,
  path: string,
): D[] {
  const definitions = Object.entries(module).flatMap(([name, exported]) =>
    (Array.isArray(exported) ? (exported as unknown[]) : [exported])
      .filter((candidate): candidate is Record<string, unknown> => isOfKind(kind, candidate))
      .map((candidate) => checkDefinition(kind, candidate, `${path}: export ${name}`)),
  );
  // The same definition may be exported by itself and in a list.
  return [...new Set(definitions)];
}

/**
 * The definitions of all modules that a config lists. A module that was loaded before is not loaded
 * again.
 *
 * @throws PupilError if two definitions have one name, or one has the name of a built-in one
 */
export async function loadModules<D extends { readonly name: string }>(
  kind: ModuleKind<D>,
  paths: readonly string[],
  source = "the config",
): Promise<D[]> {
  const { noun, plural, builtIn } = kind;
  const taken = new Map<string, string>(builtIn.map(({ name }) => [name, "built-in"]));
  const own: D[] = [];
  for (const [i, path] of paths.entries()) {
    const field = `${source}: ${plural}.${i}`;
    for (const definition of await loadFor(kind, field, path)) {
      const { name } = definition;
      const other = taken.get(name);
      if (other !== undefined) {
        const whose = other === "built-in" ? `a built-in ${noun}` : `a ${noun} of ${other}`;
        throw new PupilError(`${path}: "${name}" is the name of ${whose} already.`, {
          field,
          value: name,
          remedy: "Give it another name, such as one with a prefix of your own.",
        });
      }
      taken.set(name, path);
      own.push(definition);
    }
  }
  return own;
}

async function loadFor<D extends { readonly name: string }>(
  kind: ModuleKind<D>,
  field: string,
  path: string,
): Promise<D[]> {
  try {
    return await loadModule(kind, path);
  } catch (error) {
    if (!(error instanceof PupilError)) throw error;
    throw new PupilError(error.message, { field, value: path, cause: error });
  }
}

function isOfKind(
  { mark, otherThan }: Pick<ModuleKind<never>, "mark" | "otherThan">,
  exported: unknown,
): boolean {
  if (typeof exported !== "object" || exported === null || !(mark in exported)) return false;
  return otherThan === undefined || !(otherThan in exported);
}

function checkDefinition<D extends { readonly name: string }>(
  { define, noun, shape, reserved, check }: ModuleKind<D>,
  candidate: Record<string, unknown>,
  field: string,
): D {
  const parsed = shape.safeParse(candidate);
  if (!parsed.success) {
    const { path, problem } = firstProblem(parsed.error, candidate);
    throw new PupilError(`${path.join(".")} ${problem}`, {
      field,
      remedy: `Make it with ${define}, which a type checker can check.`,
    });
  }
  const { shape: options } = candidate["config"] as z.ZodObject;
  const taken = reserved.find((name) => name in options);
  if (taken !== undefined) {
    throw new PupilError(`config: "${taken}" cannot be an option.`, {
      field,
      remedy: `A config writes the ${noun}'s ${reservedNames[taken] ?? taken} beside its options: rename it.`,
    });
  }
  const definition = candidate as unknown as D;
  check?.(definition, field);
  return definition;
}

const reservedNames: Readonly<Record<string, string>> = { type: "name" };
