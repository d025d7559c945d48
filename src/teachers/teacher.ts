import type * as tf from "@tensorflow/tfjs-core";
import type { Batch, TokenSequence } from "../data/index.js";
import type { LossInputs } from "../losses/index.js";
import type {
  LanguageModel,
  LayerRequest,
  LayerResults,
  LayerSizes,
  VariableState,
} from "../models/index.js";
import type { HiddenStates } from "../ops/index.js";
import type { Rollout, SampleRolloutsOptions } from "../rollouts/index.js";
import type { Random } from "../tensors/index.js";
import type { TeacherSignal, TokenSignal } from "./signals.js";

export type { LayerSignal, TeacherSignal, TokenSignal } from "./signals.js";
export type TeacherTensors = Pick<LossInputs, TokenSignal>;
export type TeacherAnswer = Partial<TeacherTensors> & {
  /** What the context asks for. */
  readonly layers?: LayerResults;
  /**
   * `[B, T, W]` over the teacher's own vocabulary, for losses that take any, where `teacherLogits` are
   * over the student's.
   */
  readonly ownVocabularyLogits?: tf.Tensor3D;
};

/** What a teacher returns for one batch: `tensors` is called inside the step's memory scope. */
export interface TeacherScores {
  tensors(): TeacherAnswer;
  /**
   * Instead of `tensors`, from a teacher that can give what its logits are made of and was asked for
   * nothing else; the head stays the teacher's.
   */
  hidden?(): HiddenStates;
  /**
   * What the scores are made of, where they are the same function of the batch's tensors and others at every step: values of
   * the host are held as tensors from then on, and are what `tensors` and `hidden` read, until `dispose`. Undefined where the
   * scores are more than that.
   */
  source?(): ScoreSource | undefined;
  /** Rows that each of several teachers scored, by its name. */
  readonly routedRows?: Readonly<Record<string, number>>;
  /** The one of several teachers that scored each sequence of the batch. */
  readonly routes?: readonly string[];
  /** Releases what the scores hold beyond the step's memory scope; called when the step is done. */
  dispose?(): void;
}

/** By whom scores are made and how, and all tensors that are read beside the batch's. */
export interface ScoreSource {
  readonly by: object;
  readonly how: string;
  readonly reads: readonly tf.Tensor[];
}

/** What a teacher that draws tokens needs to draw the same ones however a step is split up. */
export interface ScoreContext {
  /** For this optimizer step. */
  readonly random: Random;
  /** Index in the step of the batch's first sequence. */
  readonly firstRow: number;
  /** Layers of the teacher to give states of, for the layer signals among the needs. */
  readonly layers?: LayerRequest;
}

/** Tensors that a teacher has learned, by name. */
export type TeacherState = VariableState;

/** How a teacher is asked to write. */
export type CompleteOptions = Omit<SampleRolloutsOptions, "model" | "prompts">;

/**
 * A source of token-level signals. The asynchronous part (network, disk) is `score`; a teacher that
 * lives on the same device computes its tensors when they are asked for and reads nothing back.
 */
export interface Teacher extends Disposable {
  readonly name: string;
  readonly vocabSize: number;
  /** Longest row that it can score, in tokens; absent where there is no limit of its own. */
  readonly maxPositions?: number;
  /** With `teacherSampleLogProbs` among them, `teacherTokenIds` are draws and not the likeliest. */
  readonly provides: readonly TeacherSignal[];
  /** Of a teacher that gives states of its layers. */
  readonly layerSizes?: LayerSizes;
  /** Temperature that its draws are made at, where it gives `teacherSampleLogProbs`. Default: 1. */
  readonly sampleTemperature?: number;
  /** Declared where it can score nothing that the student writes itself; ends "It scores only …". */
  readonly scoresOnly?: string;
  /** Whether it can score a row, for teachers that cannot score every row. */
  knows?(row: TokenSequence): boolean;
  /** What to do about rows that it does not know, for messages. */
  readonly remedyForUnknownRows?: string;
  score(
    batch: Batch,
    needs: readonly TeacherSignal[],
    context?: ScoreContext,
  ): Promise<TeacherScores>;
  /**
   * The row with only those ids to learn that the teacher has a signal about; absent where it has one
   * about all. Rows go through it before they become a batch.
   */
  restrict?(sequence: TokenSequence): TokenSequence;
  /** Called once per optimizer step, after the update, for teachers that follow their student. */
  afterStep?(): void;
  /** What a checkpoint must hold for a resumed run to have the same teacher; absent for most. */
  readonly state?: TeacherState;
  /** The model in this process that it is, for samplers in which it writes. */
  readonly model?: LanguageModel;
  /** Completions of prompts, for teachers that can write. */
  complete?(prompts: readonly (readonly number[])[], options: CompleteOptions): Promise<Rollout[]>;
  dispose(): void;
}
