export { hiddenStateLayout } from "./hidden-state-layout.js";
export { type LogProbLayout, logProbLayout } from "./log-prob-layout.js";
export {
  type HiddenStatesManifest,
  type LogProbsManifest,
  parseRecordingManifest,
  type RecordingCounts,
  type RecordingDescription,
  type RecordingManifest,
  recordingVersion,
} from "./manifest.js";
export { recordedTeacher } from "./recorded-teacher.js";
export type { HiddenStatesRecording, Recording } from "./recording.js";
export {
  decodeRow,
  encodeRow,
  type PositionLayout,
  type RecordedPosition,
  type RecordedRow,
} from "./row-codec.js";
export { rowKey } from "./row-key.js";
export { recordedSignals, scoreRows, tokensPerPosition } from "./score-rows.js";
export { type HeadValues, readHiddenRows, readTeacherHead } from "./read-hidden-rows.js";
export {
  checkRowBytes,
  decodeShardTable,
  encodeShard,
  type ShardEntry,
  shardHeaderBytes,
  type ShardRow,
  type ShardTable,
  shardTableBytes,
} from "./shard.js";
