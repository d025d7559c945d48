import { isObject } from "../vocabulary.js";
import { type Place, unfaithful, within } from "./part.js";

/**
 * The pattern of a `Split` or `Replace`: `{String}`, taken as it is, or `{Regex}` in the syntax of
 * Oniguruma (its Ruby flavour), written anew for JavaScript. What the two may see differently is refused.
 *
 * @returns a pattern with the flags `g` and `u`
 */
export function readPattern(pattern: unknown, place: Place): RegExp {
  const { String: literal, Regex: source } = isObject(pattern) ? pattern : {};
  if (typeof literal === "string" && literal !== "") {
    return new RegExp(Array.from(literal, escapeCharacter).join(""), "gu");
  }
  if (typeof source === "string") {
    const translated = translate(source);
    if (translated !== undefined) return new RegExp(translated, "gu");
    throw unfaithful(within(place, "pattern.Regex"), source);
  }
  throw unfaithful(within(place, "pattern"), pattern);
}

/** Thrown inside of this file only. */
class NotTranslatable extends Error {}

interface Flags {
  readonly ignoreCase: boolean;
  readonly dotAll: boolean;
}

/** The same pattern for JavaScript's `u` mode; undefined where it is not known to match the same. */
export function translate(source: string): string | undefined {
  const characters = Array.from(source);
  let at = 0;
  let atomicGroups = 0;
  const peek = (offset = 0) => characters[at + offset];
  const fail = (): never => {
    throw new NotTranslatable();
  };
  const take = (expected?: string): string => {
    const character = characters[at++];
    if (character === undefined || (expected !== undefined && character !== expected)) fail();
    return character as string;
  };
  const startsWith = (text: string) =>
    source.length > 0 && characters.slice(at, at + text.length).join("") === text;

  const alternatives = (outer: Flags, end: string | undefined): string => {
    let out = "";
    let flags = outer;
    let before = "";
    while (at < characters.length && peek() !== end) {
      if (peek() === "|") {
        at += 1;
        out += "|";
        before = "";
        continue;
      }
      const inline = inlineFlags(flags);
      if (inline !== undefined) {
        flags = inline;
        continue;
      }
      const from = at;
      const atom = oneAtom(flags);
      const raw = characters.slice(from, at).join("");
      // "ss" and the like also match single characters there ("ß", "ﬁ").
      if (flags.ignoreCase && /^(?:ss|st|f[fil])$/i.test(before + raw)) fail();
      before = raw;
      out += quantified(atom);
    }
    return out;
  };

  /** `(?i)` up to the end of the group. */
  const inlineFlags = (flags: Flags): Flags | undefined => {
    if (!startsWith("(?")) return undefined;
    const found = /^\(\?([im]*)(?:-([im]+))?\)/.exec(characters.slice(at, at + 8).join(""));
    if (found === null) return undefined;
    at += found[0].length;
    return changed(flags, found[1] as string, found[2] ?? "");
  };

  const group = (flags: Flags): string => {
    take("(");
    if (peek() !== "?") return close(`(?:${alternatives(flags, ")")}`);
    for (const kind of ["?:", "?=", "?!", "?<=", "?<!"]) {
      if (!startsWith(kind)) continue;
      at += kind.length;
      return close(`(${kind}${alternatives(flags, ")")}`);
    }
    if (startsWith("?>")) {
      at += 2;
      const inner = alternatives(flags, ")");
      take(")");
      return atomic(inner);
    }
    const found = /^\?([im]*)(?:-([im]+))?:/.exec(characters.slice(at, at + 8).join(""));
    if (found === null) return fail();
    at += found[0].length;
    return close(`(?:${alternatives(changed(flags, found[1] as string, found[2] ?? ""), ")")}`);
  };
  const close = (opened: string) => `${opened}${take(")")}`;
  /** What has matched is never given back: a group in a lookahead, taken as a whole. */
  const atomic = (inner: string) => {
    atomicGroups += 1;
    return `(?=(?<a${atomicGroups}>${inner}))\\k<a${atomicGroups}>`;
  };

  const oneAtom = (flags: Flags): string => {
    const character = peek() as string;
    if (character === "(") return group(flags);
    if (character === "[") return characterClass(flags);
    if (character === "\\") return escapeSequence(flags);
    take();
    if (character === ".") return flags.dotAll ? "[^]" : "[^\\n]";
    // Lines, not texts: and no line begins after a line feed that ends the text.
    if (character === "^") return "(?:(?<![^])|(?<=\\n)(?=[^]))";
    if (character === "$") return "(?![^\\n])";
    if ("*+?)".includes(character)) fail();
    return caseVariants(character, flags);
  };

  const quantified = (atom: string): string => {
    const interval = /^\{(\d*)(,?)(\d*)\}/.exec(characters.slice(at, at + 16).join(""));
    const isInterval = interval !== null && /\d/.test(interval[0]);
    const character = peek();
    if (!isInterval && (character === undefined || !"*+?".includes(character))) return atom;
    if (isInterval) at += interval[0].length;
    else at += 1;
    const least = isInterval && interval[1] === "" ? "0" : interval?.[1];
    const quantifier = isInterval
      ? `{${least}${interval[2]}${interval[3]}}`
      : (character as string);
    const next = peek();
    if (next === "?") {
      // Of one number it makes the whole optional, not lazy.
      if (isInterval && interval[2] === "") fail();
      at += 1;
      return another(`${atom}${quantifier}?`);
    }
    if (next === "+") {
      at += 1;
      const inner = `${atom}${quantifier}`;
      return another(isInterval ? `(?:${inner})+` : `(?:${atomic(inner)})`);
    }
    return another(`${atom}${quantifier}`);
  };
  /** A quantifier of a quantifier is left to others. */
  const another = (done: string) => {
    const next = peek();
    if (next !== undefined && "*+?".includes(next)) fail();
    return done;
  };

  const escapeSequence = (flags: Flags): string => {
    const inside = insideClass[peek(1) ?? ""];
    const shorthand = outsideClass[peek(1) ?? ""] ?? (inside && `[${inside}]`);
    if (shorthand !== undefined) {
      at += 2;
      return shorthand;
    }
    if (peek(1) === "p" || peek(1) === "P") return property(flags);
    return caseVariants(escapedCharacter(), flags);
  };

  const property = (flags: Flags): string => {
    const found = /^\\([pP])\{(\^?)([A-Za-z_]+)\}/.exec(characters.slice(at, at + 40).join(""));
    if (found === null) return fail();
    const [whole, letter, caret, name] = found as unknown as [string, string, string, string];
    at += whole.length;
    if (flags.ignoreCase && /^(?:L[ulmt]|Upper|Lower|Uppercase|Lowercase)$/.test(name)) fail();
    const isNegated = (letter === "P") !== (caret === "^");
    const known = propertyNames.has(name)
      ? name
      : scriptNames.has(name)
        ? `Script=${name}`
        : fail();
    return `\\${isNegated ? "P" : "p"}{${known}}`;
  };

  const escapedCharacter = (): string => {
    take("\\");
    const character = take();
    const control = controls[character];
    if (control !== undefined) return control;
    const rest = characters.slice(at, at + 10).join("");
    const hex =
      character === "x"
        ? /^(?:\{([0-9a-fA-F]{1,6})\}|([0-7][0-9a-fA-F]))/.exec(rest)
        : character === "u"
          ? /^([0-9a-fA-F]{4})/.exec(rest)
          : null;
    if (hex !== null) {
      at += hex[0].length;
      return String.fromCodePoint(Number.parseInt((hex[1] ?? hex[2]) as string, 16));
    }
    // Letters and digits mean something that is not handled here.
    if (/[A-Za-z0-9]/.test(character)) fail();
    return character;
  };

  const characterClass = (flags: Flags): string => {
    take("[");
    let out = "[";
    if (peek() === "^") out += take();
    let isFirst = true;
    while (peek() !== "]" || isFirst) {
      if (peek() === "[" || startsWith("&&") || (isFirst && peek() === "]")) fail();
      isFirst = false;
      out += classItem(flags);
    }
    take("]");
    return `${out}]`;
  };

  const classItem = (flags: Flags): string => {
    if (peek() === "\\") {
      const shorthand = insideClass[peek(1) ?? ""];
      if (shorthand !== undefined) {
        at += 2;
        return shorthand;
      }
      if (peek(1) === "p" || peek(1) === "P") return property(flags);
    }
    const first = peek() === "\\" ? escapedCharacter() : take();
    if (peek() !== "-" || peek(1) === "]") return classVariants(first, first, flags);
    take("-");
    if (peek() === "[" || (peek() === "\\" && /[a-zA-Z]/.test(peek(1) ?? ""))) {
      if (controls[peek(1) ?? ""] === undefined && !"xu".includes(peek(1) ?? "")) fail();
    }
    const last = peek() === "\\" ? escapedCharacter() : take();
    return classVariants(first, last, flags);
  };

  try {
    const translated = alternatives({ ignoreCase: false, dotAll: false }, undefined);
    new RegExp(translated, "gu");
    return translated;
  } catch (cause) {
    if (cause instanceof NotTranslatable || cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

const controls: Readonly<Record<string, string>> = {
  t: "\t",
  n: "\n",
  r: "\r",
  f: "\f",
  v: "\v",
  a: "\x07",
  e: "\x1b",
};

const wordInClass = "\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}";
// Outside of classes Oniguruma counts superscripts and fractions of Latin-1 among the characters of words.
const word = `${wordInClass}\\xb2\\xb3\\xb9\\xbc-\\xbe`;
const insideClass: Readonly<Record<string, string>> = {
  s: "\\p{White_Space}",
  S: "\\P{White_Space}",
  d: "\\p{Nd}",
  D: "\\P{Nd}",
  w: wordInClass,
  h: "0-9a-fA-F",
};
const outsideClass: Readonly<Record<string, string>> = {
  w: `[${word}]`,
  W: `[^${word}]`,
  H: "[^0-9a-fA-F]",
  A: "(?<![^])",
  z: "(?![^])",
  Z: "(?=\\n?(?![^]))",
  b: `(?:(?<=[${word}])(?![${word}])|(?<![${word}])(?=[${word}]))`,
  B: `(?:(?<=[${word}])(?=[${word}])|(?<![${word}])(?![${word}]))`,
};

const propertyNames: ReadonlySet<string> = new Set(
  (
    "L Lu Ll Lt Lm Lo M Mn Mc Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp C Cc Cf Cn Co " +
    "Letter Mark Number Punctuation Symbol Separator Other Alphabetic Uppercase Lowercase White_Space"
  ).split(" "),
);
const scriptNames: ReadonlySet<string> = new Set(
  (
    "Arabic Armenian Bengali Bopomofo Cyrillic Devanagari Ethiopic Georgian Greek Gujarati Gurmukhi Han Hangul " +
    "Hebrew Hiragana Kannada Katakana Khmer Lao Latin Malayalam Mongolian Myanmar Oriya Sinhala Tamil Telugu Thai Tibetan"
  ).split(" "),
);

function changed(flags: Flags, on: string, off: string): Flags {
  const has = (letter: string, before: boolean) =>
    on.includes(letter) || (before && !off.includes(letter));
  return { ignoreCase: has("i", flags.ignoreCase), dotAll: has("m", flags.dotAll) };
}

/** A character and, where case is ignored, those of the other case. */
function caseVariants(character: string, flags: Flags): string {
  if (!flags.ignoreCase) return escapeCharacter(character);
  const variants = variantsOf(character);
  return variants.length === 1
    ? escapeCharacter(character)
    : `[${variants.map(escapeCharacter).join("")}]`;
}

function classVariants(first: string, last: string, flags: Flags): string {
  const range =
    first === last ? escapeCharacter(first) : `${escapeCharacter(first)}-${escapeCharacter(last)}`;
  if (!flags.ignoreCase) return range;
  const [from, to] = [first.codePointAt(0) as number, last.codePointAt(0) as number];
  if (to > 0x7f) throw new NotTranslatable();
  const all = Array.from({ length: to - from + 1 }, (_, i) => String.fromCharCode(from + i));
  return [...new Set(all.flatMap(variantsOf))].map(escapeCharacter).join("");
}

/** Of letters only ASCII's: others have cases that the two libraries may see differently. */
function variantsOf(character: string): string[] {
  if (/[^\0-\x7f]/.test(character)) {
    if (/\p{L}/u.test(character)) throw new NotTranslatable();
    return [character];
  }
  const extra = { s: "\u017f", k: "\u212a" }[character.toLowerCase()] ?? "";
  return [...new Set([character, character.toLowerCase(), character.toUpperCase(), ...extra])];
}

function escapeCharacter(character: string): string {
  return /[A-Za-z0-9]/.test(character)
    ? character
    : `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
}
