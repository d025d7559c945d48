export { NotFiniteError, PupilError, oneOf } from "./pupil-error.js";
export { showValue } from "./show-value.js";
