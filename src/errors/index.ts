export { NotFiniteError, PupilError, oneOf } from "./pupil-error.js";
