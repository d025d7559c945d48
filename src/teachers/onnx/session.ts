/** Numbers of one of ONNX's types with their shape; those of an output may live on the session's device. */
export interface OnnxTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint | boolean>;
}

/** What a session says about an input or output; named dimensions are chosen by each call. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

/** A loaded ONNX file, in whichever runtime. */
export interface OnnxSession {
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  /** The outputs named in `wanted`. */
  run(
    feeds: Readonly<Record<string, OnnxTensor>>,
    wanted: readonly string[],
  ): Promise<Readonly<Record<string, OnnxTensor>>>;
  /** Frees the weights. */
  release(): void;
}
