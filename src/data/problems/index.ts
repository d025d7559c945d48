export type {
  Problem,
  ProblemSource,
  SolveOptions,
  StepJudgement,
  TrainingProblems,
} from "./problem.js";
export { taskSource } from "./task-source.js";
