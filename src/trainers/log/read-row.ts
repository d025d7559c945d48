import { PupilError } from "../../errors/index.js";
import { flatValues } from "./flat-metrics.js";
import { type LogRow, logRowSchemas, logVersion } from "./log-row.js";

type Fields = Readonly<Record<string, unknown>>;

/**
 * A row of `metrics.jsonl`, of this format or of the first one; undefined for what is no row.
 *
 * @param value parsed JSON
 * @throws PupilError for a row of a newer version
 */
export function readLogRow(value: unknown): LogRow | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const fields = value as Fields;
  const { version, type } = fields;
  if (version === undefined) return ofFirstFormat(fields);
  if (typeof version === "number" && version > logVersion) {
    throw new PupilError(`has rows of version ${version} of its format.`, {
      field: "metrics.jsonl",
      remedy: `This pupil reads versions up to ${logVersion}: take a newer one.`,
    });
  }
  if (typeof type !== "string" || !Object.hasOwn(logRowSchemas, type)) return undefined;
  return logRowSchemas[type as LogRow["type"]].safeParse(fields).data;
}

/**
 * Rows of the first format had neither type nor time: a warning had `warning`, a step its `StepMetrics` with
 * `terms`, and whatever else had a step was an evaluation.
 */
function ofFirstFormat({ step, ...fields }: Fields): LogRow | undefined {
  if (typeof step !== "number") return undefined;
  const common = { step, time: undefined };
  if ("warning" in fields) {
    const { warning, message = "", remedy = "" } = fields;
    const told = { warning: String(warning), message: String(message), remedy: String(remedy) };
    return { type: "warning", ...common, ...told };
  }
  if (!("terms" in fields)) return { type: "evaluation", ...common, values: flatValues(fields) };
  const { isMidRollout, ...metrics } = fields;
  const flags = isMidRollout === true ? { isMidRollout: true as const } : {};
  return { type: "step", ...common, ...flags, values: flatValues(metrics) };
}
