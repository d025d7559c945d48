import type { z } from "zod";
import type { Verification } from "../tasks/define.js";

/** What a verifier is asked about. */
export interface Claim {
  readonly prompt: string;
  /** The right answer, as the data gives it. */
  readonly answer: string;
  /** What was written behind the prompt, without its end token. */
  readonly completion: string;
}

/** Whether the final answer of a completion is right, and how it was read. */
export type Judgement = Pick<Verification, "correct" | "answer">;

/**
 * Judges completions of rows by the row's `answer`. A pure function: the same claim is always judged
 * the same. It must accept the right answer itself, and the completions that the data gives.
 */
export interface VerifierDefinition<
  N extends string = string,
  S extends z.ZodObject = z.ZodObject,
> {
  /** Name in configs; the file is called the same. */
  readonly name: N;
  /** One sentence. */
  readonly summary: string;
  /** Options with defaults, every field described. */
  readonly config: S;
  verify(claim: Claim, config: z.output<S>): Judgement;
}

/** Types a verifier from its parts; returns it unchanged. */
export function defineVerifier<N extends string, S extends z.ZodObject>(
  definition: VerifierDefinition<N, S>,
): VerifierDefinition<N, S> {
  return definition;
}
