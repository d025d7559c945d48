import { formatDoctor, inspectBackends } from "../../backend/index.js";
import { nodePlatform } from "../../node/index.js";
import { writeLine } from "../terminal/terminal.js";

/** `pupil doctor`. */
export async function doctorCommand(): Promise<void> {
  const report = await inspectBackends(nodePlatform);
  writeLine(process.stdout, formatDoctor(report).join("\n"));
}
