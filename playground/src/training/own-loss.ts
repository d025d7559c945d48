import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "pupil";
import * as losses from "pupil/losses";
import * as ops from "pupil/ops";
import { z } from "zod";
import type { CheckedLosses, CheckLine } from "./protocol.js";

type LossDefinition = losses.LossDefinition;

/** What a module of the editor can import. */
const modules: Readonly<Record<string, object>> = {
  pupil: losses,
  "pupil/losses": losses,
  "pupil/ops": ops,
  "@tensorflow/tfjs-core": tf,
  zod: { z },
};

/** Where {@link linked} modules find them. */
const globalName = "__modulesOfThePlayground";

/**
 * A module whose imports are taken from this page, line for line: a module that is made of a text has no other way
 * to import by name.
 *
 * @throws PupilError for what it cannot import
 */
export function linked(source: string): string {
  const pattern =
    /^[ \t]*import\s+(?:\*\s*as\s+(\w+)|\{([^}]*)\}|(\w+)|)\s*(?:from\s*)?(["'])([^"']+)\4;?/gm;
  return source.replace(pattern, (found, all?: string, some?: string, one?: string, _q?, name?) => {
    const from = String(name);
    const known = modules[from];
    if (known === undefined) {
      throw new PupilError(`there is no module "${from}" here.`, {
        ...{
          field: "import",
          value: from,
          remedy: `There are: ${Object.keys(modules).join(", ")}.`,
        },
      });
    }
    const place = `globalThis.${globalName}[${JSON.stringify(from)}]`;
    // The lines that an import takes are kept, so that errors name the right ones.
    const lines = "\n".repeat(found.split("\n").length - 1);
    if (all !== undefined) return `const ${all} = ${place};${lines}`;
    if (some === undefined) {
      throw new PupilError(`${one === undefined ? "nothing" : one} cannot be imported so.`, {
        ...{
          field: "import",
          value: found.trim(),
          remedy: `Write: import { name } from "${from}".`,
        },
      });
    }
    const names = some
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== "");
    for (const part of names) {
      const [exported = ""] = part.split(/\s+as\s+/);
      if (exported in known) continue;
      throw new PupilError(`"${from}" has no ${exported} here.`, {
        ...{ field: "import", value: exported },
        remedy: "What a loss needs is in pupil, @tensorflow/tfjs-core and zod.",
      });
    }
    return `const { ${names.join(", ").replaceAll(/\s+as\s+/g, ": ")} } = ${place};${lines}`;
  });
}

/** Runs a module; a browser takes a blob, Node a data address. */
export type ImportText = (source: string) => Promise<object>;

/**
 * The losses that a module exports. It runs as code, with the rights of this page.
 *
 * @throws PupilError if it cannot run or exports no loss
 */
export async function lossesOf(source: string, importText: ImportText): Promise<LossDefinition[]> {
  (globalThis as Record<string, unknown>)[globalName] = modules;
  let exported: object;
  try {
    exported = await importText(linked(source));
  } catch (error) {
    if (error instanceof PupilError) throw error;
    throw new PupilError(`The module does not run: ${(error as Error).message}`, {
      ...{ field: "own loss", cause: error },
    });
  }
  const found = Object.values(exported).filter(
    (value): value is LossDefinition =>
      typeof value === "object" && value !== null && "evaluate" in value && "config" in value,
  );
  if (found.length === 0) {
    throw new PupilError("The module exports no loss.", {
      ...{ field: "own loss", remedy: "Write: export const myLoss = defineLoss({ … })." },
    });
  }
  const builtIn: readonly LossDefinition[] = losses.lossDefinitions;
  const taken = found.find(({ name }) => builtIn.some((other) => other.name === name));
  if (taken !== undefined) {
    throw new PupilError(`The name "${taken.name}" is taken by a built-in loss.`, {
      ...{ field: "own loss", value: taken.name, remedy: "Give it another name." },
    });
  }
  return found;
}

/** What `pupil check-losses` would say of the losses of a module. */
export async function checkLosses(source: string, importText: ImportText): Promise<CheckedLosses> {
  const definitions = await lossesOf(source, importText);
  const checked: CheckedLosses["losses"][number][] = [];
  for (const definition of definitions) {
    const { name, summary, examples } = definition;
    const checks: CheckLine[] = [];
    const problems = losses.problemsOf(losses.describesItself(definition));
    const said = "describes itself and its options";
    checks.push({ config: "{}", check: said, problems, error: 0 });
    for (const example of examples.length > 0 ? examples : [{}]) {
      const config = JSON.stringify(example);
      const outcomes = await losses.selfCheck(definition, example);
      checks.push(...outcomes.map((outcome) => ({ config, ...outcome })));
    }
    checked.push({ name, summary, checks });
  }
  const all = checked.flatMap(({ checks }) => checks);
  const failed = all.filter(({ problems }) => problems.length > 0).length;
  return { source, losses: checked, failed, total: all.length };
}
