import type { z } from "zod";
import { PupilError } from "../../../errors/index.js";
import { isObject, type JsonObject } from "../vocabulary.js";

/** Where in which file something stands: `pre_tokenizer.pretokenizers[0]` of `tokenizer.json`. */
export interface Place {
  readonly source: string;
  readonly path: string;
}

/** Makes a working part of a tokenizer from its JSON. */
export type PartBuilder<Part> = (json: JsonObject, place: Place) => Part;

/** The kinds of one part, such as all normalizers, by their `type`. */
export type PartKinds<Part> = Readonly<Record<string, PartBuilder<Part>>>;

/** A kind of part: the fields it is known to be right with, and what it does. */
export function partKind<Schema extends z.ZodType, Part>(
  schema: Schema,
  build: (options: z.output<Schema>, place: Place) => Part,
): PartBuilder<Part> {
  return (json, place) => {
    const { type: _, ...options } = json;
    const parsed = schema.safeParse(options);
    if (parsed.success) return build(parsed.data, place);
    const [issue] = parsed.error.issues;
    const keys = issue?.code === "unrecognized_keys" ? issue.keys.slice(0, 1) : [];
    const path = [...(issue?.path ?? []), ...keys];
    const value = path.reduce<unknown>(
      (at, key) => (at as JsonObject | undefined)?.[String(key)],
      options,
    );
    throw unfaithful(within(place, path.join(".")), value);
  };
}

/** The part that a JSON value says, by its `type`. */
export function buildPart<Part>(kinds: PartKinds<Part>, json: unknown, place: Place): Part {
  const type = isObject(json) ? json.type : undefined;
  const build = typeof type === "string" && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (build === undefined) {
    throw unfaithful(
      isObject(json) ? within(place, "type") : place,
      isObject(json) ? type : json,
      `Known here: ${Object.keys(kinds).sort().join(", ")}. `,
    );
  }
  return build(json as JsonObject, place);
}

export function within({ source, path }: Place, field: string): Place {
  return { source, path: field === "" ? path : `${path}.${field}` };
}

/** What is not known to give the same ids as Hugging Face's library is refused, never guessed. */
export function unfaithful({ source, path }: Place, value: unknown, known = ""): PupilError {
  return new PupilError(
    "The tokenizer has a part that this version cannot run exactly as Hugging Face's tokenizers does.",
    {
      field: `${source}: ${path}`,
      value: value === undefined ? null : value,
      remedy: `${known}The file may be in order: take a tokenizer without this part, or give a Tokenizer object of your own.`,
    },
  );
}
