import {
  largestFloat16,
  numberWidths,
  type PositionLayout,
  type RecordedPosition,
} from "./row-codec.js";

export interface LogProbLayout extends PositionLayout<RecordedPosition> {
  readonly k: number;
  /** Whether positions have the normalizer of a proposal other than the teacher itself. */
  readonly hasNormalizer: boolean;
}

/**
 * Of a position: the log-probability of the row's own id, the log tail mass, a normalizer (float32) if
 * there is one, the K ids, the K log-probabilities. At k = 50 with float16 that is 204 bytes for ids
 * below 2^16 and 254 below 2^24.
 */
export function logProbLayout(options: {
  readonly vocabSize: number;
  readonly k: number;
  readonly dtype: "float16" | "float32";
  readonly tokens: "likeliest" | "draws";
  readonly sampleTemperature: number;
}): LogProbLayout {
  const { vocabSize, k, dtype, tokens, sampleTemperature } = options;
  const widths = numberWidths(vocabSize, dtype);
  const { idBytes, floatBytes } = widths;
  const hasNormalizer = tokens === "draws" && sampleTemperature !== 1;
  // What is lower means probability 0 as this does.
  const finite = (logProb: number) => Math.max(logProb, -largestFloat16);
  return {
    ...{ ...widths, k, hasNormalizer },
    bytesPerPosition: k * (idBytes + floatBytes) + 2 * floatBytes + (hasNormalizer ? 4 : 0),
    write: (position, writer) => {
      if (position.ids.length !== k || position.logProbs.length !== k) {
        throw new Error(`A position has ${position.ids.length} tokens, not ${k}.`);
      }
      writer.float(finite(position.tokenLogProb));
      writer.float(finite(position.logTail));
      if (hasNormalizer) writer.float32(position.logNormalizer);
      for (let i = 0; i < k; i++) writer.id(position.ids[i] as number);
      for (let i = 0; i < k; i++) writer.float(finite(position.logProbs[i] as number));
    },
    read: (reader) => {
      const tokenLogProb = reader.float();
      const logTail = reader.float();
      const logNormalizer = hasNormalizer ? reader.float32() : 0;
      const ids = Array.from({ length: k }, () => reader.id());
      const logProbs = Array.from({ length: k }, () => reader.float());
      return { tokenLogProb, logTail, logNormalizer, ids, logProbs };
    },
  };
}
