import { inspectData, resolveData } from "../../../node/index.js";
import { formatInspection } from "../../terminal/format-data.js";

/** Rows or lists that are shown. */
const shownExamples = 3;

/** `pupil data <config.json> [key=value …]`: what a student would learn from. */
export async function dataCommand(path: string, words: string[]): Promise<void> {
  const config = await resolveData(path, words);
  const inspection = await inspectData(config, shownExamples);
  const { stdout, env } = process;
  const hasColours = stdout.isTTY === true && !env["NO_COLOR"];
  stdout.write(`${formatInspection(inspection, hasColours).join("\n")}\n`);
}
