import type { Reader } from "./reader.js";
import { readLines } from "./text-pieces.js";

/** One row `{text}` a line; lines of nothing but white space are no rows. */
export const textReader: Reader = {
  extensions: ["txt", "text"],
  content: "one text per line",
  async *read(file) {
    for await (const { text, number } of readLines(file)) {
      if (text.trim() !== "") yield { row: { text }, where: `${file.name}:${number}` };
    }
  },
};
