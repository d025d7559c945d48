export { flatMetrics, metricsOfRow } from "./flat-metrics.js";
export {
  type CheckpointRow,
  type EvaluationRow,
  type LogRow,
  logRowSchemas,
  logVersion,
  type ResumeRow,
  type StepRow,
  type Values,
  type WarningRow,
} from "./log-row.js";
export { readLogRow } from "./read-row.js";
export {
  type TracedToken,
  tracedTokenSchema,
  type TraceRow,
  traceRowSchema,
} from "./trace-row.js";
