export { fillTemplate, placeholdersOf } from "./fill-template.js";
export {
  hierarchicalTemplateFields,
  hierarchicalTemplateSchema,
  type HierarchicalTemplate,
  writeStep,
  writeSummary,
} from "./hierarchical-template.js";
export { templatedTask } from "./templated-task.js";
