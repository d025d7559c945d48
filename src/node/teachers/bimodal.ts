import { PupilError } from "../../errors/index.js";
import { bimodalLanguage, type TeacherConfig } from "../../teachers/index.js";
import { loadLanguage } from "./load-language.js";
import type { LoadedTeacher } from "./loaded-teacher.js";

type BimodalTeacherConfig = Extract<TeacherConfig, { type: "bimodal" }>;

/** Two planted modes on the ring of the run's ids. */
export function loadBimodalTeacher(config: BimodalTeacherConfig): Promise<LoadedTeacher> {
  const { offsets, weight, width } = config;
  const note = `modes ${offsets[0]} (probability ${weight}) and ${offsets[1]} ids further, width ${width}`;
  const loaded = loadLanguage(config, note, ({ vocabSize }) => {
    if ((offsets[0] - offsets[1]) % vocabSize === 0) {
      throw new PupilError(
        `${offsets.join(" and ")} are one place on a ring of ${vocabSize} ids.`,
        {
          field: "teacher.offsets",
          value: offsets,
          remedy: "Give two places, best far from each other.",
        },
      );
    }
    return bimodalLanguage({ vocabSize, offsets, weight, width });
  });
  return Promise.resolve(loaded);
}
