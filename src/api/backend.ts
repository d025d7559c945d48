/** Which backend computes: start one, see which there are, bring a platform of one's own. */
export {
  type BackendChoice,
  backendChoices,
  type BackendInspection,
  type BackendName,
  type BackendReport,
  currentExecutor,
  type DoctorReport,
  formatDoctor,
  type GpuAccess,
  inspectBackends,
  type Platform,
  type RejectedBackend,
  startBackend,
  type StartBackendOptions,
  type Unavailable,
  webPlatform,
} from "../backend/index.js";
