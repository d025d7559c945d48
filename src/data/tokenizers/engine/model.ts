/** Turns the pieces of a text into ids. */
export interface Model {
  /**
   * The ids of a piece. `onLost` is called where a part of it has no id and there is no unknown token:
   * the original leaves it out (BPE) or stops with an error.
   */
  encode(piece: string, onLost: () => void): readonly number[];
  /** The id that stands for what the vocabulary lacks. */
  readonly unknownId: number | undefined;
  /** No token goes from before this character into it. */
  readonly cutAt?: string;
}
