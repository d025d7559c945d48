import { z } from "zod";
import { applyOverrides, parseConfig } from "../../../config/index.js";
import { methodDefinitions } from "../../../methods/index.js";
import { loadMethods, readVerdict } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

/** Modules with methods of one's own: a path or a list of them. */
export const methodModules = z
  .union([z.string().transform((path) => [path]), z.array(z.string())])
  .default([])
  .describe("Modules with methods of your own.");

export const methodsSchema = z.strictObject({ methods: methodModules });

/** `pupil methods [methods=my-methods.ts]`: what each claims and what came out. */
export async function methodsCommand(words: string[]): Promise<void> {
  const { methods } = parseConfig(methodsSchema, applyOverrides({}, words), "methods");
  for (const { number, name, title, claim } of methodDefinitions) {
    const verdict = await readVerdict(name);
    const numbered = number === undefined ? name : `${name} (${number})`;
    writeMethod(`${numbered}: ${title}`, claim, verdict?.result ?? "not run");
  }
  for (const { name, title, claim } of await loadMethods(methods)) {
    const verdict = await readVerdict(name, "ablations");
    const result = verdict === undefined ? "not run" : `${verdict.result} (ablations/${name})`;
    writeMethod(`${name}: ${title}`, claim, result);
  }
}

function writeMethod(head: string, ...facts: string[]): void {
  writeLine(process.stdout, head);
  for (const fact of facts) writeLine(process.stdout, `  ${fact}`);
}
