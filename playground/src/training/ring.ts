import * as tf from "@tensorflow/tfjs-core";
import { makeBatch } from "pupil/data";
import { logProbsFromLogits } from "pupil/losses";
import type { LanguageModel } from "pupil/models";
import { bimodalLanguage, type BimodalOptions, modeMasses } from "pupil/teachers";
import { readValues } from "pupil/tensors";
import type { RingPicture } from "./protocol.js";

/**
 * What a student says after each single id of the ring, beside what the teacher says.
 *
 * A mode is the ids within two standard deviations of its centre.
 */
export async function ringPicture(
  student: LanguageModel,
  options: BimodalOptions,
): Promise<RingPicture> {
  const { vocabSize, offsets, width } = options;
  const reach = Math.max(1, Math.floor(2 * width));
  const ids = Array.from({ length: vocabSize }, (_, id) => id);
  using batch = makeBatch(
    ids.map((id) => ({ ids: [id, id], completionStart: 1 })),
    0,
  );
  const values = await readValues(
    tf.tidy(() => {
      const logits = student.forward(batch).slice([0, 0, 0], [vocabSize, 1, vocabSize]);
      return logProbsFromLogits(logits as tf.Tensor3D);
    }),
    "float32",
  );
  const rows: number[] = [];
  const means = ids.map(() => 0);
  const masses = { first: 0, second: 0, outside: 0 };
  for (const previous of ids) {
    const logProbs = values.subarray(previous * vocabSize, (previous + 1) * vocabSize);
    for (const step of ids) {
      const p = Math.exp(logProbs[(previous + step) % vocabSize] as number);
      rows.push(p);
      means[step] = (means[step] as number) + p / vocabSize;
    }
    const own = modeMasses(logProbs, previous, options, reach);
    for (const part of ["first", "second", "outside"] as const) {
      masses[part] += own[part] / vocabSize;
    }
  }
  const teacher = bimodalLanguage(options).logProbs(0);
  return {
    ...{ offsets, student: means, rows, masses },
    teacher: [...teacher].map(Math.exp),
    teacherMasses: modeMasses(teacher, 0, options, reach),
  };
}
