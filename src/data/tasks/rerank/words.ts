const consonants = "bdfgklmnprstvz";
const vowels = "aeiou";
const syllables = [...consonants].flatMap((c) => [...vowels].map((v) => c + v));
const count = syllables.length ** 2;

/** Letters that words are made of. */
export const wordLetters = [...vowels, ...consonants].sort().join("");

/** Words that there are: more than any table of synonyms can have. */
export const mostWords = count;

/**
 * Synonym `j` of topic `i`. The table is the same for everybody, and the spelling of a word says nothing of its
 * topic: neighbours in the table lie far apart in the list of all pairs of syllables.
 */
export function wordOf(topic: number, synonym: number, synonyms: number): string {
  // 1733 has no factor in common with the number of words, so that no two share a word.
  const code = ((topic * synonyms + synonym) * 1733 + 271) % count;
  const at = (i: number) => syllables[i] as string;
  return at(Math.floor(code / syllables.length)) + at(code % syllables.length);
}
