import type { Platform, Unavailable } from "./platform.js";

/** Backends from the fastest to the one that always works: the order in which "auto" tries them. */
export const backendNames = ["webgpu", "tensorflow", "wasm", "cpu"] as const;
export type BackendName = (typeof backendNames)[number];

export interface CandidateOptions {
  /**
   * Takes a WebGPU adapter that is a program on the CPU, for tests of GPU code without a GPU. Default: false, in Node
   * for a backend that is named if PUPIL_SOFTWARE_GPU is 1.
   */
  readonly allowSoftwareAdapter: boolean;
  /** Lets WebGPU write to the terminal what it misses. Default: false. */
  readonly verbose?: boolean;
  /**
   * On WebGPU, training steps of a shape that was seen before are replayed from what they asked of the GPU. Default: true, in
   * Node unless PUPIL_WEBGPU_REPLAY is 0.
   */
  readonly replaySteps?: boolean;
  /**
   * On WebGPU, rows are reduced (norms, losses, sampling) by subgroup operations, which have to reduce some rows rightly first.
   * Default: false, in Node unless PUPIL_WEBGPU_SUBGROUPS is 1.
   */
  readonly subgroups?: boolean;
  /**
   * On WebGPU, large matrix products are by subgroup matrices, an experimental extension that most adapters round operands to
   * f16 for; some products have to be right first. Default: false, in Node unless PUPIL_WEBGPU_SUBGROUP_MATRICES is 1.
   */
  readonly subgroupMatrices?: boolean;
  /**
   * On WebGPU, the matrices of frozen models in this process (teachers, references, rerankers that are asked for scores) are held as
   * binary16: half the memory, and other numbers by the rounding. Some numbers have to come through rightly first. Default: false, in
   * Node unless PUPIL_WEBGPU_HALF_TEACHERS is 1.
   */
  readonly halfTeachers?: boolean;
}

/** Where a backend computes. */
export interface Device {
  /** GPU vendor and architecture, or CPU model. */
  readonly device: string;
  /** CPU threads that run kernels. */
  readonly threads: number;
  /** Why "auto" takes another one, though this works. */
  readonly passedOver?: string;
}

/** One backend that can be looked at and started. */
export interface BackendCandidate {
  readonly name: BackendName;
  /** npm packages that it is made of, for version reports. */
  readonly packages: readonly string[];
  /** Whether it is faster than those behind it with a GPU alone. */
  readonly needsGpu: boolean;
  /** What to do when it fails in a way nobody foresaw. */
  readonly remedy: string;
  /** Says whether `start` would succeed; leaves tfjs's current backend as it is. */
  inspect(platform: Platform, options: CandidateOptions): Promise<Device | Unavailable>;
  /**
   * Makes it the current backend of tfjs, or says why not and leaves nothing behind.
   *
   * @param options `isNamed`: it was asked for by its name, not by "auto"
   */
  start(
    platform: Platform,
    options: CandidateOptions & { readonly isNamed: boolean },
  ): Promise<Device | Unavailable>;
}

export function isUnavailable(found: object): found is Unavailable {
  return "reason" in found;
}

/** A device works, and not with what was asked of it. */
export class OptionRefused extends Error {
  readonly remedy: string;

  constructor(reason: string, remedy: string) {
    super(reason);
    this.remedy = remedy;
  }
}

/** Runs `attempt`; an unforeseen error becomes a reason instead of an end. */
export async function orReason(
  candidate: BackendCandidate,
  attempt: () => Promise<Device | Unavailable>,
): Promise<Device | Unavailable> {
  try {
    return await attempt();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof OptionRefused) return { reason: message, remedy: error.remedy };
    // The reason becomes a part of a sentence.
    const reason = `it failed: ${message.trim().replace(/\.$/, "")}`;
    return { reason, remedy: candidate.remedy };
  }
}
