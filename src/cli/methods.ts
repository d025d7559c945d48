import { methodDefinitions } from "../methods/index.js";
import { readVerdict } from "../node/index.js";
import { writeLine } from "./terminal.js";

/** `pupil methods`: what each claims and what came out. */
export async function methodsCommand(): Promise<void> {
  for (const { number, name, title, claim } of methodDefinitions) {
    const verdict = await readVerdict(name);
    writeLine(process.stdout, `${name}${number === undefined ? "" : ` (${number})`}: ${title}`);
    writeLine(process.stdout, `  ${claim}`);
    writeLine(process.stdout, `  ${verdict?.result ?? "not run"}`);
  }
}
