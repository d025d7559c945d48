import MiniSearch from "minisearch";

/** As in Lucene: k1 1.2, b 0.75; no constant is added per matched term (BM25+ has one). */
const options = { k: 1.2, b: 0.75, d: 0 };

/**
 * Scores passages for queries by the words they share: Okapi BM25 over these passages as the collection,
 *
 *     Σ_w in query  ln(1 + (N − n_w + ½)/(n_w + ½)) · tf (k1 + 1) / (tf + k1 (1 − b + b·length/mean length))
 *
 * Words are runs of anything but white space and punctuation, in lower case, neither stemmed nor stopped. A
 * word that the query has twice counts twice. The length of a passage is the number of its different words
 * (so MiniSearch has it; Lucene counts repeated ones too). Higher is better; 0 where no word is shared.
 *
 * Source: Robertson & Zaragoza 2009, with Lucene's inverse document frequency.
 *
 * @returns a function from query to scores, in the order of the passages
 */
export function bm25(passages: readonly string[]): (query: string) => number[] {
  const index = new MiniSearch<{ id: number; text: string }>({ fields: ["text"] });
  index.addAll(passages.map((text, id) => ({ id, text })));
  return (query) => {
    const scores = passages.map(() => 0);
    // MiniSearch multiplies by the number of matched words of the query, which BM25 does not.
    for (const { id, score, queryTerms } of index.search(query, { bm25: options })) {
      scores[id as number] = score / queryTerms.length;
    }
    return scores;
  };
}
