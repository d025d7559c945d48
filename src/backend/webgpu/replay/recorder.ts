import * as tf from "@tensorflow/tfjs-core";
import { PupilError } from "../../../errors/index.js";
import { identityOf, type RecordedCall, type RecordedResult } from "../../../tensors/index.js";
import { type Capture, captureDifference, captureOf, noteReads } from "./capture.js";
import type { CommandLog, RecordingHost } from "./host.js";
import { Recording } from "./recording.js";

/** Computations that are remembered, at most. */
const mostEntries = 64;
/** Runs in a row that differ from the one before them until no more is recorded. */
const mostFailures = 6;
/** Every so often a computation is carried out in full, and must ask the device for what was replayed. */
const replaysPerCheck = 256;

interface Entry {
  /** What the last run in full asked for. */
  last?: Capture;
  recording?: Recording;
  replays: number;
  failures: number;
  reason?: string;
}

/** How often computations were carried out, and how. */
export interface Carried {
  readonly replayed: number;
  readonly inFull: number;
}

/** How computations were carried out since the start. */
export interface ReplayReport extends Carried {
  readonly byName: Readonly<Record<string, Carried>>;
  /** By why a computation was not replayed when it last was not, how many computations. */
  readonly reasons: Readonly<Record<string, number>>;
}

/**
 * Carries out computations, and from the third time on, if it asked the device for the same the second time as the time
 * before, by that alone. Whoever calls says what is read; that the commands depend on nothing else is found by comparing runs,
 * again and again.
 */
export class Recorder {
  /** Commands are added to it while a computation is recorded. */
  log: CommandLog | undefined;
  private readonly host: RecordingHost;
  /** By owner, key, and shape or place of all that is given, the one that was asked for last at the end. */
  private readonly entries = new Map<string, Entry>();
  private readonly carried = new Map<string, { -readonly [K in keyof Carried]: number }>();

  constructor(host: RecordingHost) {
    this.host = host;
  }

  report(): ReplayReport {
    const reasons: Record<string, number> = {};
    for (const { reason } of this.entries.values()) {
      if (reason !== undefined) reasons[reason] = (reasons[reason] ?? 0) + 1;
    }
    const all = [...this.carried.values()];
    return {
      replayed: all.reduce((sum, { replayed }) => sum + replayed, 0),
      inFull: all.reduce((sum, { inFull }) => sum + inFull, 0),
      byName: Object.fromEntries([...this.carried].map(([name, of]) => [name, { ...of }])),
      reasons,
    };
  }

  run<F>(call: RecordedCall, compute: () => RecordedResult<F>): RecordedResult<F> {
    // One within another is part of it.
    if (this.log !== undefined) return compute();
    for (const { dataId } of call.reads) this.host.bring(dataId);
    const entry = this.entryOf(call);
    const { recording } = entry;
    if (recording) {
      const problem = recording.problem(call.reads);
      if (problem !== undefined) this.forget(entry, problem);
      else if (++entry.replays % replaysPerCheck > 0) return this.replay<F>(recording, call);
    }
    this.countOf(call).inFull += 1;
    if (entry.failures > mostFailures) {
      noteReads(this.host, call.reads);
      return compute();
    }
    return this.record(entry, call, compute);
  }

  /** Buffers are gone: what used them must be recorded anew. */
  forgetBuffers(buffers: ReadonlySet<GPUBuffer>): void {
    for (const entry of this.entries.values()) {
      const used = (entry.recording?.capture ?? entry.last)?.taken;
      if (used && [...used].some((buffer) => buffers.has(buffer)))
        this.forget(entry, "its memory was needed");
    }
  }

  dispose(): void {
    for (const { recording } of this.entries.values()) recording?.dispose();
    this.entries.clear();
  }

  private countOf({ name }: RecordedCall) {
    const carried = this.carried.get(name) ?? { replayed: 0, inFull: 0 };
    this.carried.set(name, carried);
    return carried;
  }

  private replay<F>(recording: Recording, call: RecordedCall): RecordedResult<F> {
    this.countOf(call).replayed += 1;
    const infos = recording.replay(call.reads);
    const tensors = Object.entries(infos).map(([name, info]) => [
      name,
      tf.engine().makeTensorFromTensorInfo(info),
    ]);
    return {
      tensors: Object.fromEntries(tensors) as RecordedResult<F>["tensors"],
      facts: recording.capture.facts as F,
    };
  }

  private record<F>(
    entry: Entry,
    { reads: tensors }: RecordedCall,
    compute: () => RecordedResult<F>,
  ): RecordedResult<F> {
    const { host } = this;
    const log: CommandLog = { commands: [] };
    this.log = log;
    const taken = host.pool.startTracking();
    try {
      const reads = noteReads(host, tensors, log);
      const result = compute();
      const capture = captureOf(host, log, tensors, reads, taken, result);
      const wrong = this.settle(entry, capture);
      if (wrong === undefined) return result;
      tf.dispose({ ...result.tensors });
      throw wrong;
    } finally {
      host.pool.stopTracking();
      this.log = undefined;
    }
  }

  /** Compares a run in full with the one before it. Gives an error if what was replayed may have been wrong. */
  private settle(entry: Entry, capture: Capture | string): PupilError | undefined {
    const { recording, last } = entry;
    if (typeof capture === "string") {
      entry.failures += 1;
      this.forget(entry, capture);
      return undefined;
    }
    if (recording) {
      const found = captureDifference(capture, recording.capture, false);
      if (found === undefined) return undefined;
      return new PupilError(
        `A step that was replayed since ${replaysPerCheck} steps is not what it was (${found}), so the last ones may be wrong: it depends on more than its batch and its weights.`,
        {
          remedy:
            "A loss or a model of your own must be a function of its inputs. Where it cannot be, set PUPIL_WEBGPU_REPLAY=0 (in a page or a program of your own: startBackend(…, { replaySteps: false })).",
        },
      );
    }
    const found = last && captureDifference(capture, last, true);
    if (last && found === undefined) {
      entry.recording = new Recording(this.host, capture);
      entry.failures = 0;
      delete entry.last;
      delete entry.reason;
      return undefined;
    }
    if (found !== undefined) {
      entry.failures += 1;
      entry.reason = found;
    }
    entry.last = capture;
    return undefined;
  }

  private forget(entry: Entry, reason: string): void {
    entry.recording?.dispose();
    delete entry.recording;
    delete entry.last;
    entry.reason = reason;
    entry.replays = 0;
  }

  private entryOf({ owner, key, reads }: RecordedCall): Entry {
    const buffers = new Set<GPUBuffer>();
    const given = reads.flatMap(({ dataId, shape, dtype }) => {
      const resource = this.host.dataOf(dataId)?.resource;
      if (!(resource instanceof GPUBuffer)) return `${dtype} ${shape.join()}`;
      buffers.add(resource);
      return [];
    });
    // The same in other places is another: the gradients of batches of another shape may lie elsewhere.
    const places = [...buffers].map((buffer) => this.host.pool.idOf(buffer));
    const name = `${identityOf(owner)} ${key} ${given.join("; ")} ${places.join()}`;
    const entry = this.entries.get(name) ?? { replays: 0, failures: 0 };
    this.entries.delete(name);
    this.entries.set(name, entry);
    if (this.entries.size > mostEntries) {
      const [oldest] = this.entries.keys() as unknown as [string];
      this.entries.get(oldest)?.recording?.dispose();
      this.entries.delete(oldest);
    }
    return entry;
  }
}
