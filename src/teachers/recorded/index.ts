export {
  parseRecordingManifest,
  type RecordingCounts,
  type RecordingDescription,
  type RecordingManifest,
  recordingVersion,
} from "./manifest.js";
export { type Recording, recordedTeacher } from "./recorded-teacher.js";
export {
  bytesPerPosition,
  decodeRow,
  encodeRow,
  type RecordedPosition,
  type RecordedRow,
  type RowLayout,
  rowLayout,
} from "./row-codec.js";
export { rowKey } from "./row-key.js";
export { recordedSignals, scoreRows, tokensPerPosition } from "./score-rows.js";
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
