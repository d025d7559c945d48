import { listRuns } from "../../../node/index.js";
import { formatMetrics } from "../../terminal/format.js";
import { tableText } from "../../terminal/table-text.js";
import { writeLine } from "../../terminal/terminal.js";

/** `pupil runs [folder]`. */
export async function runsCommand(folder = "runs"): Promise<void> {
  const runs = await listRuns(folder);
  if (runs.length === 0) return writeLine(process.stdout, `There are no runs in ${folder}.`);
  const rows = runs.map(({ path, state, done, steps, metrics }) => [
    ...[path, state, `${done}/${steps}`],
    formatMetrics(metrics).replaceAll("  ", "\n"),
  ]);
  const head = ["run", "state", "steps", "last measures"];
  writeLine(process.stdout, tableText({ title: `Runs in ${folder}`, head, rows }));
}
