/** A set of 53-bit hashes at 8 to 16 bytes each; JavaScript's own stops at 16.7 million entries. */
export interface HashSet {
  /** Whether the hash was not in the set yet. */
  add(hash: number): boolean;
}

/** Open addressing with linear probing, at most half full; 0 marks a free place. */
export function hashSet(): HashSet {
  let table = new Float64Array(1024);
  let count = 0;
  const insert = (into: Float64Array, hash: number): boolean => {
    let at = hash % into.length;
    while (into[at] !== 0) {
      if (into[at] === hash) return false;
      at = (at + 1) % into.length;
    }
    into[at] = hash;
    return true;
  };
  return {
    add(hash) {
      const isNew = insert(table, hash === 0 ? 1 : hash);
      if (!isNew) return false;
      count += 1;
      if (2 * count > table.length) {
        const larger = new Float64Array(2 * table.length);
        for (const entry of table) if (entry !== 0) insert(larger, entry);
        table = larger;
      }
      return true;
    },
  };
}
