export {
  type HiddenStatesSource,
  hiddenStatesTeacher,
  type HiddenStatesTeacherOptions,
} from "./hidden-states-teacher.js";
export { type HttpStates, httpStates, type HttpStatesOptions } from "./http-states.js";
export { recordedStates } from "./recorded-states.js";
