import { z } from "zod";
import { buildPart, type PartKinds, type Place, partKind, unfaithful, within } from "./part.js";

/** Puts special tokens around the ids of a text. */
export type PostProcessor = (ids: readonly number[]) => readonly number[];

const idArray = z.array(z.int().min(0));
const tokenAndId = z.tuple([z.string(), z.int().min(0)]);
const piece = z.union([
  z.strictObject({ SpecialToken: z.object({ id: z.string() }) }),
  z.strictObject({ Sequence: z.object({ id: z.enum(["A", "B"]) }) }),
]);
const around =
  (cls: readonly [string, number], sep: readonly [string, number]): PostProcessor =>
  (ids) => [cls[1], ...ids, sep[1]];

const kinds: PartKinds<PostProcessor> = {
  Sequence: partKind(
    z.strictObject({ processors: z.array(z.unknown()) }),
    ({ processors }, place) => {
      const steps = processors.map((json, i) =>
        buildPart(kinds, json, within(place, `processors[${i}]`)),
      );
      return (ids) => steps.reduce((at, step) => step(at), ids);
    },
  ),
  // It changes offsets only.
  ByteLevel: partKind(z.object({}), () => (ids) => ids),
  BertProcessing: partKind(z.strictObject({ sep: tokenAndId, cls: tokenAndId }), ({ cls, sep }) =>
    around(cls, sep),
  ),
  RobertaProcessing: partKind(
    z.strictObject({
      sep: tokenAndId,
      cls: tokenAndId,
      trim_offsets: z.boolean(),
      add_prefix_space: z.boolean(),
    }),
    ({ cls, sep }) => around(cls, sep),
  ),
  TemplateProcessing: partKind(
    z.strictObject({
      single: z.array(piece),
      pair: z.unknown(),
      special_tokens: z.record(z.string(), z.object({ ids: idArray })),
    }),
    ({ single, special_tokens }, place) => {
      const parts = single.map((part, i) => {
        if ("Sequence" in part && part.Sequence.id === "A") return undefined;
        const token = "SpecialToken" in part ? special_tokens[part.SpecialToken.id] : undefined;
        if (token === undefined) throw unfaithful(within(place, `single[${i}]`), part);
        return token.ids;
      });
      return (ids) => parts.flatMap((part) => part ?? ids);
    },
  ),
};

/** The post-processor of a `tokenizer.json`, which may have none. */
export function readPostProcessor(json: unknown, place: Place): PostProcessor {
  return json == null ? (ids) => ids : buildPart(kinds, json, place);
}
