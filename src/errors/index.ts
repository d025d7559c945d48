export { isSameName, nearest, NotFiniteError, oneOf, PupilError } from "./pupil-error.js";
