import { applyOverrides, parseConfig } from "../../../config/index.js";
import { exportMetrics, exportMetricsSchema } from "../../../node/index.js";
import { writeLine } from "../../terminal/terminal.js";

/** `pupil export-metrics <run> [format=csv|tensorboard] [output=<file>]`. */
export async function exportMetricsCommand(run: string, words: string[]): Promise<void> {
  const options = parseConfig(exportMetricsSchema, applyOverrides({}, words), "export-metrics");
  writeLine(process.stdout, `Written: ${await exportMetrics(run, options)}`);
}
