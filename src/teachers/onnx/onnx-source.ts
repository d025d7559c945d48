import * as tf from "@tensorflow/tfjs-core";
import type { TokenSource } from "../../rollouts/index.js";
import type { TokenRows } from "./decoder-feeds.js";
import type { OnnxDecoder } from "./onnx-decoder.js";

/** A decoder in an ONNX runtime as a source of next tokens; only logits leave the runtime. */
export function onnxSource(
  { vocabSize, step }: Pick<OnnxDecoder, "vocabSize" | "step">,
  maxPositions = Number.POSITIVE_INFINITY,
): TokenSource {
  return {
    vocabSize,
    maxPositions,
    open: () => {
      let past: TokenRows["past"];
      return {
        next: async (inputs) => {
          const { values, ...given } = await step({ ...inputs, ...(past && { past }) });
          past = given.past;
          const shape: [number, number, number] = [inputs.batch, inputs.length, vocabSize];
          return () => {
            const logits = tf.tensor3d(values, shape);
            const last = logits.slice([0, inputs.length - 1, 0], [-1, 1, -1]);
            return last.reshape([inputs.batch, vocabSize]);
          };
        },
        [Symbol.dispose]: () => {
          past = undefined;
        },
      };
    },
  };
}
