import { numberWidths, type PositionLayout } from "./row-codec.js";

/** Of a position: the D floats that the head reads there. */
export function hiddenStateLayout(options: {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly dtype: "float16" | "float32";
}): PositionLayout<Float32Array> {
  const { vocabSize, hiddenSize, dtype } = options;
  const widths = numberWidths(vocabSize, dtype);
  return {
    ...widths,
    bytesPerPosition: hiddenSize * widths.floatBytes,
    write: (state, writer) => {
      if (state.length !== hiddenSize) {
        throw new Error(`A hidden state has ${state.length} numbers, not ${hiddenSize}.`);
      }
      for (const value of state) writer.float(value);
    },
    read: (reader) => Float32Array.from({ length: hiddenSize }, () => reader.float()),
  };
}
