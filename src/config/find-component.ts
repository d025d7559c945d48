import { oneOf, PupilError } from "../errors/index.js";
import { type Component, type ComponentKind, components } from "./components.js";

/**
 * The components that someone means: all without a word, by name (`reverse-kl`), by kind (`loss`), or
 * by both (`loss reverse-kl`), which a name that several kinds have needs.
 *
 * @throws PupilError that says which kinds and names there are
 */
export function findComponents(
  words: readonly string[],
  all: readonly Component[] = components,
): readonly Component[] {
  const [first, name, ...others] = words;
  if (first === undefined) return all;
  if (others.length > 0) {
    throw new PupilError(`"${words.join(" ")}" is more than a kind and a name.`, {
      remedy: "Use: pupil describe [kind] [name], such as pupil describe loss reverse-kl.",
    });
  }
  return name === undefined ? byOneWord(first, all) : [byKindAndName(first, name, all)];
}

const kindsOf = (all: readonly Component[]) => [...new Set(all.map(({ kind }) => kind))];

function byOneWord(word: string, all: readonly Component[]): readonly Component[] {
  const named = all.filter((component) => component.name === word);
  if (named.length === 1) return named;
  if (named.length > 1) {
    throw new PupilError(`"${word}" is the name of more than one component.`, {
      value: word,
      remedy: `Say which: ${named.map(commandFor).join(" or ")}.`,
    });
  }
  const ofKind = all.filter(({ kind }) => kind === word);
  if (ofKind.length > 0) return ofKind;
  throw new PupilError(`There is no component "${word}".`, {
    value: word,
    remedy: oneOf(word, [...new Set([...kindsOf(all), ...all.map(({ name }) => name)])]),
  });
}

function byKindAndName(kind: string, name: string, all: readonly Component[]): Component {
  const kinds: readonly ComponentKind[] = kindsOf(all);
  if (!kinds.some((known) => known === kind)) {
    throw new PupilError(`There is no kind "${kind}".`, {
      value: kind,
      remedy: oneOf(kind, kinds),
    });
  }
  const ofKind = all.filter((component) => component.kind === kind);
  const found = ofKind.find((component) => component.name === name);
  if (found !== undefined) return found;
  const elsewhere = all.filter((component) => component.name === name).map(commandFor);
  throw new PupilError(`There is no ${kind} "${name}".`, {
    value: name,
    remedy:
      elsewhere.length > 0
        ? `There is: ${elsewhere.join(", ")}.`
        : oneOf(
            name,
            ofKind.map((component) => component.name),
          ),
  });
}

function commandFor({ kind, name }: Component): string {
  return `pupil describe ${kind} ${name}`;
}
