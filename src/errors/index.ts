export { PupilError, oneOf } from "./pupil-error.js";
