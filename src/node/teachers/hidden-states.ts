import { PupilError } from "../../errors/index.js";
import {
  type HeadValues,
  hiddenStatesTeacher,
  httpStates,
  recordedStates,
  type TeacherConfig,
} from "../../teachers/index.js";
import { findModelFolder } from "../models/find-model.js";
import { loadTokenizer } from "../models/load-tokenizer.js";
import { hashOfHead, readModelHead, readRecordedHead } from "../models/model-head.js";
import { readModelOutline } from "../models/model-folder.js";
import { openHiddenStates } from "../recording/open-recording.js";
import { fittedSize, type LoadedTeacher, type TeacherRun } from "./loaded-teacher.js";
import { checkedUrl, readKey } from "./server-address.js";

type HiddenStatesConfig = Extract<TeacherConfig, { type: "hidden-states" }>;

/** Recorded hidden states, or ones on a server, with the head that goes with them. */
export function loadHiddenStatesTeacher(config: HiddenStatesConfig): Promise<LoadedTeacher> {
  const { from, url } = config;
  if (from !== undefined && url !== undefined) {
    throw new PupilError("has both a recording (from) and a server (url).", {
      field: "teacher",
      remedy: "Leave one of them out.",
    });
  }
  if (from !== undefined) return loadRecordedStates(config, from);
  if (url !== undefined) return loadServedStates(config, url);
  throw new PupilError("has neither a recording nor a server.", {
    field: "teacher",
    remedy:
      "Set teacher.from to a folder that pupil record-teacher store=hidden-states wrote, or teacher.url to a server.",
  });
}

async function loadRecordedStates(
  config: HiddenStatesConfig,
  from: string,
): Promise<LoadedTeacher> {
  const recording = await openHiddenStates(from);
  const { manifest } = recording;
  const { counts, teacher, maxPositions, hiddenSize, vocabSize, dtype } = manifest;
  requireTeacher(config.teacherHash, teacher.hash);
  const tokenizer = await loadTokenizer(from);
  if (tokenizer.fingerprint !== manifest.tokenizer) {
    throw new PupilError("The tokenizer is not the one that the recording was made with.", {
      field: from,
      remedy: "Restore tokenizer.json, or record again with pupil record-teacher.",
    });
  }
  const count = (n: number) => n.toLocaleString("en-US");
  const notes = [
    `Teacher: hidden states of ${teacher.name} (${teacher.hash.slice(0, 12)}) in ${from}: ` +
      `${count(hiddenSize)} numbers (${dtype}) at ${count(counts.tokens)} positions of ` +
      `${count(counts.rows)} rows; a head of ${count(vocabSize)} rows.`,
  ];
  return {
    tokenizer,
    ...(maxPositions === null ? {} : { maxPositions }),
    settings: { recorded: teacher.hash, head: manifest.head.hash, dtype, counts },
    headHash: manifest.head.hash,
    notes,
    connect: async (run) => {
      const place = config.head ?? manifest.head.from;
      const head = await (place === null ? readRecordedHead(from) : readModelHead(place));
      requireHead(head, manifest, place ?? from);
      return hiddenStatesTeacher(recordedStates(recording), head, {
        ...distributionOf(config),
        vocabSize: fittedSize(vocabSize, run, notes),
      });
    },
    dispose: () => undefined,
  };
}

function requireTeacher(asked: string | undefined, recorded: string): void {
  if (asked === undefined || asked === recorded) return;
  throw new PupilError(
    `The recording is of a teacher with hash ${recorded}, the config wants ${asked}.`,
    {
      field: "teacher.teacherHash",
      value: asked,
      remedy: "Record the teacher that the config means, or correct the hash.",
    },
  );
}

/** Another head would make another distribution of the same states, and no loss would show it. */
function requireHead(
  head: HeadValues,
  manifest: {
    readonly vocabSize: number;
    readonly hiddenSize: number;
    readonly head: { readonly hash: string };
  },
  place: string,
): void {
  const sizes = ({ vocabSize, hiddenSize }: Pick<HeadValues, "vocabSize" | "hiddenSize">) =>
    `[${vocabSize}, ${hiddenSize}]`;
  const remedy =
    "Restore the head, name the folder of the recorded teacher in teacher.head, or record again.";
  if (sizes(head) !== sizes(manifest)) {
    throw new PupilError(
      `The head is ${sizes(head)}, the one of the recorded states is ${sizes(manifest)}.`,
      { field: place, remedy },
    );
  }
  const hash = hashOfHead(head);
  if (hash === manifest.head.hash) return;
  throw new PupilError(
    `The head is not the one of the recorded states: its hash is ${hash}, theirs ${manifest.head.hash}.`,
    { field: place, remedy },
  );
}

async function loadServedStates(config: HiddenStatesConfig, given: string): Promise<LoadedTeacher> {
  const url = checkedUrl(given);
  const { apiKeyVariable, dtype, model, timeoutSeconds, retryDelaySeconds } = config;
  const { retries, concurrency } = config;
  const apiKey = apiKeyVariable === undefined ? undefined : readKey(apiKeyVariable);
  const { folder, tokenizer, maxPositions } = await readHeadFolder(config);
  const head = await readModelHead(folder);
  const count = (n: number) => n.toLocaleString("en-US");
  const notes = [
    `Teacher: hidden states of ${model ?? "the model"} at ${url}, ${count(head.hiddenSize)} numbers (${dtype}); head of ${count(head.vocabSize)} rows from ${config.head}.`,
  ];
  return {
    ...{ tokenizer, maxPositions, notes },
    headHash: hashOfHead(head),
    connect: async (run: TeacherRun) => {
      const states = httpStates({
        ...{ url, apiKey, model, head, tokenizer, dtype, retries, concurrency, maxPositions },
        timeoutMs: timeoutSeconds * 1000,
        retryDelayMs: retryDelaySeconds * 1000,
        random: run.random,
      });
      await states.probe();
      return hiddenStatesTeacher(states, head, {
        ...distributionOf(config),
        vocabSize: fittedSize(head.vocabSize, run, notes),
      });
    },
    dispose: () => undefined,
  };
}

/** What is known of a server's model before its head is read. */
async function readHeadFolder(config: HiddenStatesConfig) {
  if (config.head === undefined) {
    throw new PupilError("is missing: the server sends what a head reads, not what it says.", {
      field: "teacher.head",
      remedy: "Name the folder of the server's model; only its head and tokenizer are read.",
    });
  }
  const folder = await findModelFolder(config.head);
  const outline = await readModelOutline(folder);
  const maxPositions = Math.min(config.maxPositions ?? Infinity, outline.maxPositions);
  return { folder, tokenizer: outline.tokenizer, maxPositions };
}

/** What is known of it before its head is read. */
export async function readHiddenStatesTeacher(config: HiddenStatesConfig): Promise<LoadedTeacher> {
  if (config.from !== undefined || config.url === undefined) return loadHiddenStatesTeacher(config);
  const { tokenizer, maxPositions } = await readHeadFolder(config);
  return {
    ...{ tokenizer, maxPositions, notes: [] },
    connect: () => Promise.reject(new Error("The head of this teacher is not loaded.")),
    dispose: () => undefined,
  };
}

function distributionOf({ topK, samples, sampleTemperature }: HiddenStatesConfig) {
  return { topK, samples, sampleTemperature };
}
