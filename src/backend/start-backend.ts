import { oneOf, PupilError } from "../errors/index.js";
import { holdsHalves } from "../tensors/index.js";
import {
  type BackendName,
  backendNames,
  type CandidateOptions,
  type Device,
  isUnavailable,
  orReason,
} from "./candidate.js";
import { backendCandidates } from "./candidates.js";
import { silenceCpuAdvice } from "./cpu.js";
import { type Platform, type Unavailable, webPlatform } from "./platform.js";

/** What `backend` of a config may be: "auto", or a backend by name. */
export const backendChoices = ["auto", ...backendNames] as const;
export type BackendChoice = (typeof backendChoices)[number];

export interface StartBackendOptions extends Partial<CandidateOptions> {
  /** Default: the web's. In Node pass `nodePlatform` of `pupil/node`. */
  readonly platform?: Platform;
}

export interface RejectedBackend extends Unavailable {
  readonly backend: BackendName;
}

/** The backend that was taken. */
export interface BackendReport extends Device {
  readonly backend: BackendName;
  /** One sentence: what was taken, and why each better backend was not. */
  readonly line: string;
  /** The better backends that "auto" tried first. */
  readonly rejected: readonly RejectedBackend[];
}

/**
 * Starts a backend and makes it the current one of TensorFlow.js. "auto" takes the first that works
 * of: a hardware WebGPU adapter, TensorFlow with CUDA (its optional package), wasm, cpu. A named backend is
 * started or refused, never replaced.
 *
 * @throws PupilError with the reason and the remedy if the named backend cannot start.
 */
export async function startBackend(
  choice: BackendChoice,
  options: StartBackendOptions = {},
): Promise<BackendReport> {
  if (!backendChoices.includes(choice)) {
    throw new PupilError(`there is no backend ${JSON.stringify(choice)}.`, {
      field: "backend",
      value: choice,
      remedy: oneOf(String(choice), backendChoices),
    });
  }
  const { platform = webPlatform(), verbose = false } = options;
  const { replaySteps, subgroups, subgroupMatrices, halfTeachers } = options;
  const isNamed = choice !== "auto";
  const { allowSoftwareAdapter = isNamed && platform.takesSoftwareGpu === true } = options;
  silenceCpuAdvice();
  const rejected: RejectedBackend[] = [];
  for (const candidate of backendCandidates) {
    if (isNamed && choice !== candidate.name) continue;
    const started = await orReason(candidate, () =>
      candidate.start(platform, {
        ...{ allowSoftwareAdapter, verbose, isNamed },
        ...(replaySteps !== undefined && { replaySteps }),
        ...(subgroups !== undefined && { subgroups }),
        ...(subgroupMatrices !== undefined && { subgroupMatrices }),
        ...(halfTeachers !== undefined && { halfTeachers }),
      }),
    );
    const backend = candidate.name;
    if (isUnavailable(started)) {
      rejected.push({ backend, ...started });
    } else if (!isNamed && started.passedOver !== undefined) {
      // The next one that starts becomes the current backend.
      rejected.push({
        backend,
        reason: started.passedOver,
        remedy: `Name it: backend=${backend}.`,
      });
    } else {
      return { backend, ...started, rejected, line: reportLine(backend, started, rejected) };
    }
  }
  const [first] = rejected;
  if (choice === "auto" || first === undefined) throw new Error("No backend starts, not even cpu.");
  throw new PupilError(`the ${choice} backend cannot start: ${first.reason}.`, {
    field: "backend",
    value: choice,
    remedy: first.remedy,
  });
}

function reportLine(
  backend: BackendName,
  { device, threads }: Device,
  rejected: readonly RejectedBackend[],
): string {
  const count = threads === 1 ? "1 thread" : `${threads} threads`;
  const halves = holdsHalves() ? ", frozen models in 16 bits" : "";
  const taken = `Computing with ${backend} on ${device}, ${count}${halves}`;
  const others = rejected.map((r) => `${r.backend} because ${r.reason}`);
  return others.length === 0 ? `${taken}.` : `${taken}; not ${others.join(", not ")}.`;
}
