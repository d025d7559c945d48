import * as tf from "@tensorflow/tfjs-core";
import { type BackendName, type Device, isUnavailable, orReason } from "./candidate.js";
import { backendCandidates } from "./candidates.js";
import { silenceCpuAdvice } from "./cpu.js";
import type { Platform, Unavailable } from "./platform.js";

/** One backend as it was found. */
export interface BackendInspection {
  readonly backend: BackendName;
  readonly available: boolean;
  /** If available. */
  readonly device?: Device;
  /** If not. */
  readonly unavailable?: Unavailable;
  /** Versions of its packages that are installed, as far as they can be known. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface DoctorReport {
  readonly runtime: string;
  readonly tfjs: string;
  readonly cpu: Platform["cpu"];
  /** Every backend, best first. */
  readonly backends: readonly BackendInspection[];
  /** The one that "auto" would take. */
  readonly taken: BackendName;
  /** The next better one, if there is a better one; `needsGpu` where it would be that with a GPU alone. */
  readonly nextBetter?: {
    readonly backend: BackendName;
    readonly remedy: string;
    readonly needsGpu?: true;
  };
}

/**
 * Looks at every backend without changing the current one.
 *
 * @param options `verbose` lets WebGPU write to the terminal what it misses
 */
export async function inspectBackends(
  platform: Platform,
  { verbose = false }: { readonly verbose?: boolean } = {},
): Promise<DoctorReport> {
  silenceCpuAdvice();
  const backends: BackendInspection[] = [];
  for (const candidate of backendCandidates) {
    const inspect = (allowSoftwareAdapter: boolean) =>
      orReason(candidate, () => candidate.inspect(platform, { allowSoftwareAdapter, verbose }));
    let found = await inspect(false);
    if (isUnavailable(found) && platform.takesSoftwareGpu === true) {
      const software = await inspect(true);
      if (!isUnavailable(software)) found = { passedOver: "it is a GPU in software", ...software };
    }
    const known = candidate.packages.map((name) => [name, platform.packageVersion(name)] as const);
    const versions = Object.fromEntries(
      known.filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
    const base = { backend: candidate.name, versions };
    if (isUnavailable(found)) backends.push({ ...base, available: false, unavailable: found });
    else backends.push({ ...base, available: true, device: found });
  }
  const takenIndex = backends.findIndex(
    ({ available, device }) => available && device?.passedOver === undefined,
  );
  return {
    runtime: platform.runtime,
    tfjs: tf.version_core,
    cpu: platform.cpu,
    backends,
    taken: backends[takenIndex]?.backend ?? "cpu",
    ...nextBetter(backends.slice(0, takenIndex), backends[takenIndex]?.backend),
  };
}

/**
 * The next of those before the one that is taken. What a machine's CPU does, none does faster but the next of its CPU; beyond
 * that a GPU is needed, and with one the first of all is best.
 */
function nextBetter(
  before: readonly BackendInspection[],
  taken: BackendName | undefined,
): Pick<DoctorReport, "nextBetter"> {
  const onGpu = (name: BackendName | undefined) =>
    backendCandidates.some((candidate) => candidate.name === name && candidate.needsGpu);
  const missing = before.filter(({ unavailable }) => unavailable !== undefined);
  const better = missing.filter(({ backend }) => !onGpu(backend)).at(-1) ?? missing[0];
  if (better?.unavailable === undefined) return {};
  const { backend, unavailable } = better;
  const needsGpu = onGpu(backend) && !onGpu(taken);
  return {
    nextBetter: { backend, remedy: unavailable.remedy, ...(needsGpu && { needsGpu }) },
  };
}

/** The report as lines for a terminal. */
export function formatDoctor(report: DoctorReport): string[] {
  const { runtime, tfjs, cpu, taken, nextBetter: next } = report;
  const lines = [
    `${runtime}, TensorFlow.js ${tfjs}, ${cpu.model}, ${cpu.cores} cores`,
    "",
    ...report.backends.flatMap((inspection) => formatInspection(inspection, taken)),
    "",
    `"auto" takes ${taken}.`,
  ];
  if (next?.needsGpu) {
    lines.push(
      `On this CPU no backend is faster. With a GPU ${next.backend} would be: ${next.remedy}`,
    );
  } else if (next) lines.push(`The next better backend is ${next.backend}: ${next.remedy}`);
  return lines;
}

function formatInspection(inspection: BackendInspection, taken: BackendName): string[] {
  const { backend, device, unavailable, versions } = inspection;
  const indent = " ".repeat(18);
  const lines: string[] = [];
  const label = `${backend === taken ? "*" : " "} ${backend.padEnd(11)}`;
  if (device !== undefined) {
    const threads = device.threads === 1 ? "1 thread" : `${device.threads} threads`;
    lines.push(`${label} yes ${device.device}, ${threads}`);
    if (device.passedOver !== undefined) {
      lines.push(`${indent}not by "auto": ${device.passedOver}`);
    }
  }
  if (unavailable !== undefined) {
    lines.push(`${label} no  ${unavailable.reason}`, `${indent}${unavailable.remedy}`);
  }
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  if (packages.length > 0) lines.push(`${indent}${packages.join(", ")}`);
  return lines;
}
