export {
  DeviceError,
  isSameName,
  nearest,
  NotFiniteError,
  oneOf,
  PupilError,
} from "./pupil-error.js";
export { requireList, requireMember, requireObject, requireText } from "./require-member.js";
export { explainIssue, firstProblem, parseConfig } from "./schema-errors.js";
export { showValue } from "./show-value.js";
