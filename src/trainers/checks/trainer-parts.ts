import { PupilError, requireMember } from "../../errors/index.js";

/** The parts that trainers are made of: how one is told, and where it comes from. */
const parts = {
  student: { has: "forward", remedy: "a model: initializeDecoder or loadModelFolder" },
  teacher: { has: "score", remedy: "a teacher: modelTeacher, for example" },
  data: { has: "rows", remedy: "training data: (await prepareData(…)).training" },
  pairs: { has: "pairs", remedy: "pairs of answers: (await prepareData(…)).pairs" },
  lists: { has: "lists", remedy: "lists to rank: (await prepareData(…)).ranking" },
  problems: { has: "problems", remedy: "problems: (await prepareData(…)).problems" },
  optimizer: { has: "apply", remedy: "an optimizer: new AdamW(student.parameters)" },
  tokenizer: { has: "padId", remedy: "a tokenizer: loadModelFolder gives one" },
  random: { has: "stream", remedy: "random numbers: new Random(1)" },
} as const;

type Part = keyof typeof parts;

/**
 * Says what a trainer was not given; types say it only to those who have a type checker.
 *
 * @param names the parts that it needs; `["data", "pairs"]` is an option and what must be in it
 * @throws PupilError naming the option
 */
export function requireParts(
  trainer: string,
  options: object,
  names: readonly (Part | readonly [option: string, part: Part])[],
): void {
  if (typeof options !== "object" || options === null) {
    throw new PupilError("was called without options.", {
      field: trainer,
      value: options,
      remedy: `Use: ${trainer}({ ${names.map((name) => (typeof name === "string" ? name : name[0])).join(", ")}, … }).`,
    });
  }
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of names) {
    const [option, part] = typeof name === "string" ? [name, name] : name;
    const { has, remedy } = parts[part];
    requireMember(given[option], has, {
      field: `${trainer}: ${option}`,
      remedy: `Give it ${remedy}.`,
    });
  }
  requireTerms(trainer, given["loss"]);
  for (const count of ["steps", "batchSize", "gradientAccumulationSteps"]) {
    requireCount(trainer, count, given[count]);
  }
}

function requireTerms(trainer: string, loss: unknown): void {
  const isTerm = (term: unknown) =>
    typeof term === "object" && term !== null && "definition" in term && "weight" in term;
  if (loss === undefined && (trainer === "sft" || trainer === "reinforce")) return;
  if (Array.isArray(loss) && loss.length > 0 && loss.every(isTerm)) return;
  throw new PupilError(loss === undefined ? "is missing." : "is no list of loss terms.", {
    field: `${trainer}: loss`,
    value: loss,
    remedy: "Give it terms: [lossTerm(reverseKlLoss, { temperature: 1 })], for example.",
  });
}

function requireCount(trainer: string, name: string, value: unknown): void {
  if (value === undefined && name !== "steps") return;
  if (Number.isInteger(value) && (value as number) >= (name === "steps" ? 0 : 1)) return;
  throw new PupilError(value === undefined ? "is missing." : `is ${String(value)}.`, {
    field: `${trainer}: ${name}`,
    value,
    remedy: "Give it a whole number from 1.",
  });
}
