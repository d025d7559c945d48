export type { BackendName } from "./candidate.js";
export { formatDoctor, inspectBackends } from "./doctor.js";
export type { BackendInspection, DoctorReport } from "./doctor.js";
export { currentExecutor } from "./executor.js";
export { webPlatform } from "./platform.js";
export type { GpuAccess, GpuSearch, Platform, Unavailable } from "./platform.js";
export { backendChoices, startBackend } from "./start-backend.js";
export type {
  BackendChoice,
  BackendReport,
  RejectedBackend,
  StartBackendOptions,
} from "./start-backend.js";
