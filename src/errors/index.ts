export { isSameName, nearest, NotFiniteError, oneOf, PupilError } from "./pupil-error.js";
export { requireMember } from "./require-member.js";
export { showValue } from "./show-value.js";
