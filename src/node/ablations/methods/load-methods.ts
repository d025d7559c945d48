import { z } from "zod";
import { firstProblem, PupilError } from "../../../errors/index.js";
import { type MethodDefinition, methodDefinitions } from "../../../methods/index.js";
import { readText } from "../../files/read-files.js";
import { exportsOf, importOnce } from "../../modules/import-module.js";

const isFunction = z.custom((value) => typeof value === "function", "is not a function");
const text = z.string();

const shape = z.object({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, "is not in kebab-case"),
  title: text,
  paper: z.object({ citation: text, url: text }),
  claim: text,
  fidelity: z.enum(["faithful", "proxy"]),
  settings: z.custom((value) => value instanceof z.ZodObject, "is not a Zod object schema"),
  paperSettings: z.record(text, z.object({ value: z.union([text, z.number()]), source: text })),
  arms: isFunction,
  baseline: z.union([text, isFunction]),
  comparisons: z.union([z.array(z.unknown()), isFunction]),
  fairness: z.object({ equal: text, note: text }),
});

/**
 * The one method that a module exports.
 *
 * @throws PupilError if the file cannot be loaded, exports no method or several, or a broken one
 */
export async function loadMethod(path: string): Promise<MethodDefinition> {
  const found = await methodsOf(path);
  const [first, ...others] = found;
  if (first !== undefined && others.length === 0) return first;
  const names = found.map(({ name }) => name).join(", ");
  throw new PupilError(`the file exports more than one method: ${names}.`, {
    field: path,
    remedy: `Name the one that is meant: pupil ablate <name> methods=${path}`,
  });
}

/**
 * The methods of several modules, beside the built-in ones.
 *
 * @throws PupilError as {@link loadMethod}, and for two of one name
 */
export async function loadMethods(paths: readonly string[]): Promise<MethodDefinition[]> {
  const all: MethodDefinition[] = [];
  for (const [i, path] of paths.entries()) {
    for (const method of await methodsOf(path)) {
      if (all.some(({ name }) => name === method.name)) {
        throw new PupilError(`${path}: there is a method "${method.name}" already.`, {
          field: `methods.${i}`,
          value: method.name,
          remedy: "Give it another name: its folder is called the same.",
        });
      }
      all.push(method);
    }
  }
  return all;
}

async function methodsOf(path: string): Promise<MethodDefinition[]> {
  await readText(path, "file of methods");
  const module = await importOnce(path);
  const found = methodsIn(module, path);
  if (found.length > 0) return found;
  throw new PupilError("the file exports no method.", {
    field: path,
    remedy: `Export what defineMethod returns. It exports: ${exportsOf(module)}.`,
  });
}

/** Those among the exports of a module, one by one or in lists. */
export function methodsIn(
  module: Readonly<Record<string, unknown>>,
  path: string,
): MethodDefinition[] {
  const found = Object.entries(module).flatMap(([name, exported]) =>
    (Array.isArray(exported) ? (exported as unknown[]) : [exported])
      .filter(looksLikeMethod)
      .map((method) => checkMethod(method as MethodDefinition, `${path}: export ${name}`)),
  );
  return [...new Set(found)];
}

function looksLikeMethod(exported: unknown): boolean {
  return typeof exported === "object" && exported !== null && "arms" in exported;
}

function checkMethod(method: MethodDefinition, field: string): MethodDefinition {
  const parsed = shape.safeParse(method);
  if (!parsed.success) {
    const { path, problem } = firstProblem(parsed.error, method);
    throw new PupilError(`${path.join(".")} ${problem}`, {
      field,
      remedy: "Make it with defineMethod, which a type checker can check.",
    });
  }
  const isDefault = method.settings.safeParse({});
  if (!isDefault.success) {
    const { path, problem } = firstProblem(isDefault.error, {});
    throw new PupilError(`settings: ${path.join(".")} has no default that fits: it ${problem}`, {
      field,
      remedy: "Give every setting a default, so that the method runs as it is.",
    });
  }
  if (methodDefinitions.every(({ name }) => name !== method.name)) return method;
  throw new PupilError(`"${method.name}" is the name of a built-in method.`, {
    field,
    value: method.name,
    remedy: "Give it another name: its folder is called the same.",
  });
}
