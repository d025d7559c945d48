/** One training or evaluation item as text. `prompt` is empty for plain text. */
export interface Example {
  readonly prompt: string;
  readonly completion: string;
  /** False where the completion was cut off: it goes on, so that no end token is learned behind it. */
  readonly finished?: false;
  /**
   * Parts of the completion, from and to characters of it, that are only read, such as what a tool
   * said. Every token that reaches into one is not learned.
   */
  readonly unlearned?: readonly (readonly [number, number])[];
  /** The final answer, where a task can verify one. */
  readonly answer?: string;
  /** The prompt that its writer was shown, where that is another. */
  readonly shownPrompt?: string;
}

/**
 * Token ids in one row; the model is trained to predict `ids[completionStart…]`. Plain text has
 * `completionStart` 1: everything after the first token is predicted.
 */
export interface TokenSequence {
  readonly ids: readonly number[];
  readonly completionStart: number;
  /**
   * For each id 1 where it is learned, 0 where it is not, for rows with several parts to learn, such
   * as the assistant's turns of a chat. Default: every id from `completionStart` on.
   */
  readonly learned?: readonly number[];
  /**
   * Ids of the completion that the data gives, for rows that a student wrote instead. Teachers that
   * are told more than the student can be shown it.
   */
  readonly reference?: readonly number[];
  /**
   * Ids of the prompt that the writer of the completion was shown, where that is another than the
   * row's, such as one with a hint. Teachers that are told more than the student can read it.
   */
  readonly shownPrompt?: readonly number[];
  /** Name of the row in its data, such as `train.jsonl:12`, for messages. */
  readonly id?: string;
}

/** A sequence and where its first id stands in a batch. */
export interface PlacedSequence extends TokenSequence {
  readonly row: number;
  readonly start: number;
}

/** Text to ids and back. `padId` may equal an end id: masks, never ids, say what is padding. */
export interface Tokenizer {
  readonly vocabSize: number;
  /** Ids put before every prompt (Llama's BOS); usually empty. `encodePrompt` adds them. */
  readonly startIds: readonly number[];
  /** Ids that end a completion; the first is appended to training completions. Empty for plain text. */
  readonly endIds: readonly number[];
  readonly padId: number;
  /** The id of text outside the vocabulary, where `encode` gives it rather than an error. */
  readonly unknownId?: number;
  /** Without special tokens; throws a PupilError naming the text that has no id. */
  encode(text: string): number[];
  /** Skips special tokens. */
  decode(ids: readonly number[]): string;
  /**
   * The bytes of text that an id stands for, none for a special token. Joined they are the text that
   * `decode` gives, but for one space at the start where the vocabulary writes words with a space
   * before them; a character may be split over several ids.
   */
  tokenBytes(id: number): Uint8Array;
  /** Equal for tokenizers that map the same text to the same ids; a teacher's and a student's must match. */
  readonly fingerprint: string;
  /** The `tokenizer.json` that is written beside a checkpoint. */
  toJson(): object;
  /** The `tokenizer_config.json` beside it: it names the end and padding tokens. */
  toConfigJson(): object;
}
