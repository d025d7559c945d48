export { NotFiniteError, PupilError, oneOf } from "./pupil-error.js";
export { requireMember } from "./require-member.js";
