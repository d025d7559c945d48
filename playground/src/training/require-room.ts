import { PupilError } from "pupil";
import { type ModelConfig, parameterGroups } from "pupil/models";

/** What the engine can address, in bytes; a GPU that lends a page more is rare. */
const room = 2 ** 32;
const float = 4;

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toPrecision(3)} GiB`;

export interface StepSize {
  /** Rows of a forward pass. */
  readonly rows: number;
  /** Tokens of a row. */
  readonly positions: number;
}

/**
 * Refuses what cannot be trained in a page before its memory is asked for: weights, gradients and AdamW's two moments of the
 * student, and of a pass at least four values of the width for each token and layer.
 *
 * @throws PupilError with what it needs at least
 */
export function requireRoom(config: ModelConfig, { rows, positions }: StepSize): void {
  const parameters = Object.values(parameterGroups(config)).reduce((sum, n) => sum + n, 0);
  const ofStudent = 4 * float * parameters;
  const has = `the page has at most ${gibibytes(room)}`;
  if (ofStudent > room) {
    const count = parameters.toLocaleString("en-US");
    throw new PupilError(
      `A student of ${count} parameters needs ${gibibytes(ofStudent)} to be trained, ${has}.`,
      { field: "student.architecture", remedy: "Make hiddenSize or numLayers smaller." },
    );
  }
  const ofPass = 4 * float * rows * positions * config.hiddenSize * config.numLayers;
  if (ofPass <= room) return;
  throw new PupilError(
    `${rows} rows of ${positions} tokens need ${gibibytes(ofPass)} at least in this student, ${has}.`,
    {
      ...{ field: "trainer.batchSize", value: rows },
      remedy: "Take fewer or shorter rows, or a smaller student.",
    },
  );
}
