import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  byteTokenizer,
  characterTokenizer,
  dataFile,
  readTextPart,
  splitRows,
  splitText,
  storeText,
  type TextPart,
  TokenStore,
} from "../../../../src/data/index.js";
import { missing, sharedData } from "../../../setup/data/shared-data.js";

const file = (content: string) => dataFile("t.txt", content);

async function textOf(part: TextPart): Promise<string> {
  const pieces: string[] = [];
  for await (const piece of readTextPart(part)) pieces.push(piece);
  return pieces.join("");
}

async function split(text: string, fraction: number) {
  const { train, validation } = await splitText(file(text), fraction);
  return { train: await textOf(train), validation: await textOf(validation) };
}

describe("readTextPart", () => {
  test("drops a byte order mark and nothing else", async () => {
    expect(await textOf({ file: file("\ufeffa\r\n b \n") })).toBe("a\r\n b \n");
  });

  test("an empty text is an error that names the file", async () => {
    await expect(textOf({ file: file("") })).rejects.toThrow("t.txt: is empty.");
    await expect(splitText(file(" \n"), 0.1)).rejects.toThrow(
      "t.txt: has nothing but white space.",
    );
  });
});

describe("splitText", () => {
  test("keeps every character, the first part for training", async () => {
    expect(await split("0123456789", 0.1)).toEqual({ train: "012345678", validation: "9" });
    expect(await split("0123456789a", 0.25)).toEqual({ train: "01234567", validation: "89a" });
  });

  test("never cuts a surrogate pair", async () => {
    const text = "🙂".repeat(5);
    expect(await split(text, 0.5)).toEqual({ train: "🙂🙂🙂", validation: "🙂🙂" });
    expect(await split("🙂🙂", 0.5)).toEqual({ train: "🙂", validation: "🙂" });
  });

  test("a fraction outside 0 to 1 is refused", async () => {
    await expect(splitText(file("ab"), 1)).rejects.toThrow("between 0 and 1");
    await expect(splitText(file("ab"), Number.NaN)).rejects.toThrow("between 0 and 1");
  });
});

describe("splitRows", () => {
  test("both parts get at least one row", () => {
    expect(splitRows(4, 0.5, "t")).toBe(2);
    expect(splitRows(4, 0.01, "t")).toBe(3);
    expect(splitRows(4, 0.99, "t")).toBe(1);
    expect(() => splitRows(1, 0.5, "t")).toThrow("t: there is only 1 row");
  });
});

describe("storeText", () => {
  test("pieces end where tokens do, so that their ids are those of the whole", async () => {
    const text = Array.from({ length: 50 }, (_, i) => `line ${i}${i % 7 === 0 ? "\n" : ""}\n`);
    const tokenizer = byteTokenizer();
    const pieces: string[] = [];
    const spy = {
      ...tokenizer,
      encode: (part: string) => {
        pieces.push(part);
        return tokenizer.encode(part);
      },
    };
    // Small chunks of the file, so that a piece is complete long before its end.
    const chunked = {
      ...file(text.join("")),
      async *chunks() {
        yield* text.map((line) => new TextEncoder().encode(line));
      },
    };
    using store = new TokenStore({ bytesPerWord: 2 });
    await storeText({ file: chunked }, spy, store, 100);
    expect(pieces.length).toBeGreaterThan(3);
    expect(pieces.join("")).toBe(text.join(""));
    for (const piece of pieces.slice(0, -1)) expect(piece).toMatch(/\S\n$/);
    expect(Array.from(await store.read(0, store.length))).toEqual(tokenizer.encode(text.join("")));
  });
});

test("a text that is not long is encoded in one piece", async () => {
  let pieces = 0;
  const encode = (text: string) => {
    pieces += 1;
    return byteTokenizer().encode(text);
  };
  using store = new TokenStore({ bytesPerWord: 2 });
  const lines = {
    ...file(""),
    chunks: async function* () {
      for (let i = 0; i < 50; i++) yield new TextEncoder().encode(`line ${i}\n`);
    },
  };
  await storeText({ file: lines }, { ...byteTokenizer(), encode }, store);
  expect(pieces).toBe(1);
});

const shakespeare = "tinyshakespeare/input.txt";
describe.skipIf(missing(shakespeare))(
  `nanoGPT's split (needs ../shared/data/${shakespeare})`,
  () => {
    test("has the published sizes: 65 characters, 1,003,854 and 111,540 tokens", async () => {
      const text = readFileSync(sharedData(shakespeare), "utf8");
      const tokenizer = characterTokenizer(text, { specialTokens: false });
      const { train, validation } = await split(text, 0.1);
      expect(tokenizer.vocabSize).toBe(65);
      expect(tokenizer.encode(train)).toHaveLength(1_003_854);
      expect(tokenizer.encode(validation)).toHaveLength(111_540);
      // nanoGPT: sorted characters, "\n" is 0 and " " is 1.
      expect(tokenizer.encode("\n !")).toEqual([0, 1, 2]);
      expect(tokenizer.decode(tokenizer.encode(validation))).toBe(validation);
    });
  },
);
