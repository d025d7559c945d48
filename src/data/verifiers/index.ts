import { z } from "zod";
import { oneOf, PupilError } from "../../errors/index.js";
import { afterMarkerVerifier } from "./after-marker.js";
import type { Claim, Judgement, VerifierDefinition } from "./define.js";
import { exactVerifier } from "./exact.js";
import { lastNumberVerifier } from "./last-number.js";
import { numberVerifier } from "./number.js";
import { regexVerifier } from "./regex.js";

export {
  type Claim,
  defineVerifier,
  type Judgement,
  type VerifierDefinition,
} from "./define.js";
export { plainText, type TextOptions } from "./exact.js";
export {
  isSameNumber,
  lastNumberIn,
  numberOf,
  type Tolerance,
  toleranceFields,
} from "./read-number.js";

/** Every built-in verifier. A new one is one file and one line here. */
export const verifierDefinitions = [
  exactVerifier,
  numberVerifier,
  regexVerifier,
  lastNumberVerifier,
  afterMarkerVerifier,
] as const;

type Definitions = (typeof verifierDefinitions)[number];
type Named<D> = D extends {
  readonly name: infer N extends string;
  readonly config: z.ZodObject<infer S>;
}
  ? z.ZodObject<S & { type: z.ZodLiteral<N> }, z.core.$strict>
  : never;

const named = (definitions: readonly VerifierDefinition[]) =>
  definitions.map(({ name, summary, config }) =>
    config.safeExtend({ type: z.literal(name) }).describe(summary),
  );

/** `{type: "after-marker", marker: "####"}`: the options of one verifier, told apart by its name. */
export const verifierSchema = verifierSchemaWith([]);
export type VerifierConfig = z.output<typeof verifierSchema>;

/** The same where verifiers of the user's own can be named too; typed as the built-in one. */
export function verifierSchemaWith(own: readonly VerifierDefinition[]) {
  const options = named([...(verifierDefinitions as readonly VerifierDefinition[]), ...own]);
  return z.discriminatedUnion(
    "type",
    options as unknown as [Named<Definitions>, ...Named<Definitions>[]],
  );
}

/** Judges a completion as a config says. */
export type Verify = (claim: Claim) => Judgement;

/**
 * The verifier that a config names.
 *
 * @param own definitions beside the built-in ones
 * @throws PupilError that says which names there are
 */
export function verifierOf(
  { type, ...options }: VerifierConfig,
  own: readonly VerifierDefinition[] = [],
): Verify {
  const known: readonly VerifierDefinition[] = [...verifierDefinitions, ...own];
  const found = known.find(({ name }) => name === type);
  if (found === undefined) {
    throw new PupilError(`there is no verifier "${type}".`, {
      field: "verifier.type",
      value: type,
      remedy: oneOf(
        type,
        known.map(({ name }) => name),
      ),
    });
  }
  return (claim) => found.verify(claim, options);
}
