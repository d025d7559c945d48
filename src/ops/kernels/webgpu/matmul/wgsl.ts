import type { MatmulJob } from "./matmul-job.js";

export const indices = (count: number) => Array.from({ length: count }, (_, i) => i);

/** WGSL that depends on the job. */
export function byJob(jobs: readonly MatmulJob[], of: (job: number) => string): string {
  if (jobs.length === 1) return of(0);
  const last = jobs.length - 1;
  const cases = jobs.map(
    (_, job) => `${job === last ? "default" : `case ${job}u`}: { ${of(job)} }`,
  );
  return `switch (job) { ${cases.join(" ")} }`;
}
