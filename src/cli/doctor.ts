import { formatDoctor, inspectBackends } from "../backend/index.js";
import { nodePlatform } from "../node/index.js";

/** `pupil doctor`. */
export async function doctorCommand(): Promise<void> {
  const report = await inspectBackends(nodePlatform);
  process.stdout.write(`${formatDoctor(report).join("\n")}\n`);
}
