import type { Tokenizer } from "../../data/index.js";
import type { TeacherSignal } from "../teacher.js";

/** What to ask a server about one sequence. */
export interface ScoreQuery {
  readonly ids: readonly number[];
  /** Ascending, each at least 1: position p asks about `ids[p]` after `ids[0 … p − 1]`. */
  readonly positions: readonly number[];
  /** How many of the likeliest tokens. */
  readonly topK: number;
  /** Whether the texts of the tokens are of use: to find out if it is the right tokenizer. */
  readonly texts?: boolean;
}

/** What a server said about one position, checked: K distinct ids, likeliest first. */
export interface PositionScore {
  readonly tokenLogProb: number;
  readonly tokenIds: readonly number[];
  readonly logProbs: readonly number[];
  /** Of `tokenIds`, where the server tells. */
  readonly texts?: readonly (string | undefined)[];
}

/** One completion to be written. */
export interface CompletionQuery {
  readonly promptIds: readonly number[];
  readonly endIds: readonly number[];
  readonly maxNewTokens: number;
  /** 0: always the likeliest token. */
  readonly temperature: number;
  /** 0 is off. */
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
}

/** A server as its protocol sees it. */
export interface ServerAccess {
  /** Empty where the config names none. */
  readonly model: string;
  readonly tokenizer: Tokenizer;
  /** Ids at or above it are an error. */
  readonly vocabSize: number;
  /** Whether prompts are sent as ids or, to servers that take no ids, as text. */
  readonly sendAs: "ids" | "text";
  /**
   * The parsed answer to a body; repeats what may succeed on another try.
   *
   * @param entries how many tokens the answer may tell of, which bounds its size
   */
  post(body: object, entries: number): Promise<unknown>;
}

/** How one kind of server is asked for log-probabilities of given tokens. One file each. */
export interface TeacherProtocol {
  /** Behind the config's url. */
  readonly path: string;
  readonly gives: readonly TeacherSignal[];
  /** Whether the config must name the model. */
  readonly needsModel: boolean;
  /**
   * One score per position of the query.
   *
   * @throws WrongAnswer if the answer is about other tokens, or not what was asked for
   */
  score(query: ScoreQuery, server: ServerAccess): Promise<PositionScore[]>;
  /** Ids of a completion, with the end id where the server returns it. */
  complete?(query: CompletionQuery, server: ServerAccess): Promise<number[]>;
}

/** The signals of every protocol so far: none gives whole distributions. */
export const likeliestTokens: readonly TeacherSignal[] = [
  "teacherTokenIds",
  "teacherTopLogProbs",
  "teacherTokenLogProbs",
];
