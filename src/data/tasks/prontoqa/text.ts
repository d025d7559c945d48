import { isTrue, type LogicProblem, type Statement } from "./statement.js";

type Wording = LogicProblem["wording"];

/** Concepts end like this, so that their plural and their article are known. */
const ending = "pus";

export const entities = { sentences: ["Max", "Sam", "Rex", "Fae", "Wren"], symbols: ["X"] };
const consonants = Array.from("bcdfghjklmnprstvwyz");
export const concepts = {
  sentences: [...consonants.map((c) => `${c}um${ending}`), `im${ending}`, `or${ending}`],
  symbols: Array.from("ABCDEFGHIJKLMNOPQRSTUVW"),
};
export const properties = {
  sentences: (
    "red blue big small hot cold wet dry loud quiet sweet sour kind shy fast slow dull bright " +
    "earthy wooden"
  ).split(" "),
  symbols: Array.from("abcdefghijklmnopqrstuvw"),
};

export function logicAlphabet(wording: Wording, hidden: boolean): string {
  if (wording === "symbols") {
    return ` \n>:!;?TF${[...concepts.symbols, "X"].filter((c) => !"TF".includes(c)).join("")}${properties.symbols.join("")}`;
  }
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  return ` \n.:${letters}${hidden ? ">;!?" : ""}`;
}

/**
 * A statement in words: `Max is a vumpus.`, `Every vumpus is not red.`, `Vumpuses are not red.`; or in
 * symbols: `X:A`, `A>B`, `A>!b`.
 */
export function write(statement: Statement, wording: Wording, isPlural = false): string {
  const { subject, predicate, negated } = statement;
  const isRule = !isEntity(subject);
  if (wording === "symbols")
    return `${subject}${isRule ? ">" : ":"}${negated ? "!" : ""}${predicate}`;
  const not = negated ? "not " : "";
  const isNoun = predicate.endsWith(ending);
  if (isRule && isPlural) {
    return `${capital(subject)}es are ${not}${predicate}${isNoun ? "es" : ""}.`;
  }
  return `${isRule ? `Every ${subject}` : subject} is ${not}${isNoun ? article(predicate) : ""}${predicate}.`;
}

/** What a sentence or a line of symbols states; undefined where it is neither. */
export function read(text: string): Statement | undefined {
  const symbols = /^([A-Z]|[A-Z]?[a-z]+)[>:](!?)(\w+)$/.exec(text);
  if (symbols !== null) {
    const [, subject = "", not, predicate = ""] = symbols;
    return { subject, predicate, negated: not === "!" };
  }
  const one = /^(?:(?:Each|Every) (\w+)|([A-Z]\w*)) is (not )?(?:an? )?(\w+)\.?$/.exec(text);
  if (one !== null) {
    const [, concept, entity, not, predicate = ""] = one;
    return { subject: concept ?? entity ?? "", predicate, negated: not !== undefined };
  }
  const many = /^([A-Z]\w*) are (not )?(\w+)\.?$/.exec(text);
  if (many === null) return undefined;
  const [, subject = "", not, predicate = ""] = many;
  return {
    subject: singular(subject.toLowerCase()),
    predicate: singular(predicate),
    negated: not !== undefined,
  };
}

export function writePrompt({ premises, query, wording, plural = [] }: LogicProblem): string {
  const written = premises.map((statement, i) => write(statement, wording, plural.includes(i)));
  if (wording === "symbols") return `${written.join(";")};${write(query, wording)}?`;
  return `${written.join(" ")} True or false: ${write(query, wording)}\n`;
}

/** The same with the words of the sentences in symbols: `vumpus>brimpus;Max:vumpus;Max:!red?`. */
export function writeSymbols({ premises, query }: LogicProblem): string {
  return `${premises.map((s) => write(s, "symbols")).join(";")};${write(query, "symbols")}?`;
}

export function answerOf(problem: Pick<LogicProblem, "proof" | "query" | "wording">): string {
  return label(isTrue(problem), problem.wording);
}

export function label(isTrueNow: boolean, wording: Wording): string {
  const word = isTrueNow ? "True" : "False";
  return wording === "symbols" ? word.charAt(0) : word;
}

/** Entities begin with a capital, of which there is one letter in symbols. */
export function isEntity(subject: string): boolean {
  return /^(X|[A-Z][a-z]+)$/.test(subject);
}

function singular(word: string): string {
  return word.endsWith(`${ending}es`) ? word.slice(0, -2) : word;
}

function article(noun: string): string {
  return /^[aeiou]/.test(noun) ? "an " : "a ";
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
