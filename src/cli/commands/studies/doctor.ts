import { formatDoctor, inspectBackends } from "../../../backend/index.js";
import { nodePlatform } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

/** `pupil doctor [--verbose]`. */
export async function doctorCommand({ verbose }: { readonly verbose: boolean }): Promise<void> {
  const report = await inspectBackends(nodePlatform, { verbose });
  writeLine(process.stdout, formatDoctor(report).join("\n"));
}
