import { PupilError } from "../../errors/index.js";
import {
  type LogProbsManifest,
  recordedTeacher,
  type TeacherConfig,
} from "../../teachers/index.js";
import { loadTokenizer } from "../models/load-tokenizer.js";
import { openRecording } from "../recording/open-recording.js";
import { fittedSize, type LoadedTeacher } from "./loaded-teacher.js";

type RecordedTeacherConfig = Extract<TeacherConfig, { type: "recorded" }>;

/** A recording as teacher, with the tokenizer that it was made with. */
export async function loadRecordedTeacher(config: RecordedTeacherConfig): Promise<LoadedTeacher> {
  const recording = await openRecording(config.from);
  const { manifest } = recording;
  checkAsked(config, manifest);
  const { counts, tokens, k, teacher, maxPositions } = manifest;
  const tokenizer = await loadTokenizer(config.from);
  if (tokenizer.fingerprint !== manifest.tokenizer) {
    throw new PupilError("The tokenizer is not the one that the recording was made with.", {
      field: config.from,
      remedy: "Restore tokenizer.json, or record again with pupil record-teacher.",
    });
  }
  const notes = [
    `Teacher: recording of ${teacher.name} (${teacher.hash.slice(0, 12)}) in ${config.from}: ` +
      `${k} ${tokens === "draws" ? "draws" : "likeliest tokens"} at ` +
      `${counts.tokens.toLocaleString("en-US")} positions of ` +
      `${counts.rows.toLocaleString("en-US")} rows.`,
  ];
  return {
    tokenizer,
    ...(maxPositions === null ? {} : { maxPositions }),
    settings: { recorded: teacher.hash, tokens, k, counts },
    notes,
    connect: (run) => {
      const vocabSize = fittedSize(manifest.vocabSize, run, notes);
      return Promise.resolve(recordedTeacher(recording, vocabSize));
    },
    dispose: () => undefined,
  };
}

/** Refuses a recording of something else than the config wants. */
function checkAsked(config: RecordedTeacherConfig, manifest: LogProbsManifest): void {
  const { k, tokens, teacher } = manifest;
  const has = `The recording has ${k} ${tokens === "draws" ? "draws" : "likeliest tokens"} per position`;
  const asked = [
    ["topK", config.topK, "likeliest"],
    ["samples", config.samples, "draws"],
  ] as const;
  for (const [field, value, kind] of asked) {
    if (value === undefined || (kind === tokens && value === k)) continue;
    throw new PupilError(
      `${has}, the config wants ${value} ${kind === "draws" ? kind : "likeliest tokens"}.`,
      {
        field: `teacher.${field}`,
        value,
        remedy: `Leave it out, or record again with teacher.${field}=${value}.`,
      },
    );
  }
  if (config.teacherHash === undefined || config.teacherHash === teacher.hash) return;
  throw new PupilError(
    `The recording is of a teacher with hash ${teacher.hash}, the config wants ${config.teacherHash}.`,
    {
      field: "teacher.teacherHash",
      value: config.teacherHash,
      remedy: "Record the teacher that the config means, or correct the hash.",
    },
  );
}
