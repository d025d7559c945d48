export { checkVerifier } from "./check-verifier.js";
export { type FileProblems, fileSource } from "./file-source.js";
export type {
  BackwardProblem,
  Problem,
  ProblemSource,
  SolveOptions,
  StepJudgement,
  TrainingProblems,
} from "./problem.js";
export { taskOf, taskSource, type TaskSourceOptions, withCharacters } from "./task-source.js";
