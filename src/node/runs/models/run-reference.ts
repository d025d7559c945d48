import type { RunConfig } from "../../../config/index.js";
import type { Tokenizer } from "../../../data/index.js";
import { PupilError } from "../../../errors/index.js";
import { type Decoder, initializeDecoderInPieces } from "../../../models/index.js";
import { modelTeacher, type Teacher } from "../../../teachers/index.js";
import type { Random } from "../../../tensors/index.js";
import { freezeLoaded } from "../../models/freeze-loaded.js";
import { findModelFolder } from "../../models/find-model.js";
import { loadModelFolder } from "../../models/model-folder.js";

interface ReferenceParts {
  readonly student: Decoder;
  readonly tokenizer: Tokenizer;
  /** Of the run's seed. */
  readonly random: Random;
}

/**
 * The frozen reference of a run that has one: a model folder, or the student that the run began with.
 * That one is made again, so that a resumed run has the same.
 *
 * @throws PupilError if it has another tokenizer or vocabulary than the student
 */
export async function loadReference(
  config: RunConfig,
  { student, tokenizer, random }: ReferenceParts,
): Promise<Teacher | undefined> {
  const { trainer } = config;
  if (trainer.type !== "reinforce" || trainer.reference === undefined) return undefined;
  const isInitial = trainer.reference === "initial";
  const { from, lora } = config.student;
  if (isInitial && lora !== undefined) {
    // An adapter begins as one that changes nothing; the student's weights stay the student's.
    const teacher = modelTeacher(student.withAdapter(undefined), "the initial student");
    const dispose = () => undefined;
    return { ...teacher, dispose, [Symbol.dispose]: dispose };
  }
  const folder = isInitial ? from : trainer.reference;
  if (folder === undefined) {
    const fresh = await initializeDecoderInPieces(student.config, random.stream("weights"));
    await freezeLoaded(fresh, "the initial student");
    return modelTeacher(fresh, "the initial student");
  }
  const loaded = await loadModelFolder(await findModelFolder(folder));
  const isSame =
    loaded.tokenizer.fingerprint === tokenizer.fingerprint &&
    loaded.model.config.vocabSize === student.config.vocabSize;
  if (isSame) {
    await freezeLoaded(loaded.model, folder);
    return modelTeacher(loaded.model, folder);
  }
  loaded.model.dispose();
  throw new PupilError("The reference has another tokenizer or vocabulary than the student.", {
    field: "trainer.reference",
    value: folder,
    remedy: "Use a model with the student's tokenizer.",
  });
}
