import { z } from "zod";
import { fillTemplate } from "./fill-template.js";

const isOneLine = (text: string) => !text.includes("\n");

/** How a solution is written in two layers: steps with their keys, a summary of the keys, the answer. */
export const hierarchicalTemplateFields = {
  step: z
    .string()
    .default("{step} §{key}")
    .describe(
      "How a step is written: {step} and {key}. Of a step of several lines the first is written so.",
    ),
  summary: z
    .string()
    .default("¤{keys}")
    .describe("The line of the summary: {keys}, the keys of all steps with spaces between them."),
  key: z
    .string()
    .default("[-+*/]")
    .describe(
      "Regular expression of a step's key; a step without one has its first word. [REC] The paper's notes are a teacher's.",
    ),
};

/** The same where what is written has to be read again: every line must show what it is. */
export const hierarchicalTemplateSchema = z
  .strictObject(hierarchicalTemplateFields)
  .refine(({ step }) => isOneLine(step) && step.split("{step}").length === 2, {
    message: "must be one line with {step} in it once",
    path: ["step"],
  })
  .refine(({ summary }) => isOneLine(summary) && summary.replace("{keys}", "").trim() !== "", {
    message: "must be one line by which a summary is known, such as ¤{keys}",
    path: ["summary"],
  });

export type HierarchicalTemplate = z.output<typeof hierarchicalTemplateSchema>;

/** A step as it is written: its first line with its key. */
export function writeStep(text: string, template: HierarchicalTemplate): string {
  const [step = "", ...more] = text.split("\n");
  const values = { step, key: keyOf(text, template) };
  return [fillTemplate(template.step, values, "hierarchical template: step"), ...more].join("\n");
}

/** The summary of steps. */
export function writeSummary(steps: readonly string[], template: HierarchicalTemplate): string {
  const keys = steps.map((step) => keyOf(step, template)).join(" ");
  return fillTemplate(template.summary, { keys }, "hierarchical template: summary");
}

function keyOf(step: string, { key }: HierarchicalTemplate): string {
  return new RegExp(key).exec(step)?.[0] ?? step.split(/\s/, 1)[0] ?? "";
}

/** A part of a text: characters `start` to `end`. */
interface Part {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** What a text in the template says. */
export interface HierarchicalText {
  /** The steps without their keys, a line each. */
  readonly body: string;
  readonly summary: Part | undefined;
  /** The lines behind the summary that are not empty. */
  readonly after: readonly Part[];
  /** Where a part of `body` stands in the text, its marks with it. */
  placeOf(start: number, end: number): { start: number; end: number };
}

/** Reads a text, whole or begun; lines without marks are read as they are. */
export function readHierarchical(text: string, template: HierarchicalTemplate): HierarchicalText {
  const lines = linesOf(text);
  const isSummary = patternOf(template.summary);
  const isStep = patternOf(template.step);
  const at = lines.findIndex((line) => isSummary.test(line.text));
  let length = 0;
  const steps = (at === -1 ? lines : lines.slice(0, at)).map((line) => {
    const found = isStep.exec(line.text)?.indices?.groups?.["step"] ?? [0, line.text.length];
    const plain = { start: length, end: length + found[1] - found[0] };
    length = plain.end + 1;
    return { line, plain, text: line.text.slice(...found), from: line.start + found[0] };
  });
  return {
    body: steps.map((step) => step.text).join("\n"),
    summary: lines[at],
    after: at === -1 ? [] : lines.slice(at + 1).filter((line) => line.text !== ""),
    placeOf(start, end) {
      // Marks belong to what they mark; inside a line there are none.
      const first = steps.findLast(({ plain }) => plain.start <= start);
      const last = steps.find(({ plain }) => plain.end >= end);
      if (first === undefined || last === undefined) return { start, end };
      return {
        start:
          start === first.plain.start ? first.line.start : first.from + start - first.plain.start,
        end: end === last.plain.end ? last.line.end : last.from + end - last.plain.start,
      };
    },
  };
}

function linesOf(text: string): Part[] {
  let start = 0;
  return text.split("\n").map((line) => {
    const part = { start, end: start + line.length, text: line };
    start = part.end + 1;
    return part;
  });
}

/** What a line of a template looks like, with the step as a group. */
function patternOf(template: string): RegExp {
  const source = template
    .split(/(\{\w+\})/)
    .map((part) => {
      if (part === "{step}") return "(?<step>.*)";
      return /^\{\w+\}$/.test(part) ? ".*" : escaped(part);
    })
    .join("");
  return new RegExp(`^${source}$`, "d");
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
