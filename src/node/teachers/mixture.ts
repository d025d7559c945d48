import { PupilError } from "../../errors/index.js";
import { mixtureTeacher, routedTeacher, type TeacherConfig } from "../../teachers/index.js";
import type { LoadedTeacher, TeacherLoader } from "./loaded-teacher.js";

type MixtureTeacherConfig = Extract<TeacherConfig, { type: "mixture" }>;

/** Several teachers, loaded one after the other. */
export const loadMixtureTeacher: TeacherLoader<MixtureTeacherConfig> = async (config, load) => {
  const { mode, teachers, type: _type, ...options } = config;
  const loaded: LoadedTeacher[] = [];
  const dispose = () => {
    for (const teacher of loaded) teacher.dispose();
  };
  try {
    for (const { weight: _weight, when: _when, ...member } of teachers) {
      loaded.push(await load(member as TeacherConfig));
    }
    const limits = loaded.flatMap(({ maxPositions }) => maxPositions ?? []);
    const weights = loaded.flatMap((teacher) => teacher.weights ?? []);
    return {
      ...sharedTokenizer(loaded),
      ...(limits.length === 0 ? {} : { maxPositions: Math.min(...limits) }),
      // The weights alone would say nothing of members without any.
      ...(loaded.every((teacher) => teacher.weights !== undefined) ? { weights } : {}),
      settings: {
        mode,
        members: teachers.map(({ weight, when }, i) => [weight, when, loaded[i]?.settings]),
      },
      // With weight and rule, which decide too.
      members: teachers.map((member, i) => ({
        config: member as TeacherConfig,
        loaded: loaded[i] as LoadedTeacher,
      })),
      get notes() {
        return loaded.flatMap(({ notes }) => notes);
      },
      async connect(run) {
        const connected = await Promise.all(loaded.map((teacher) => teacher.connect(run)));
        const members = connected.map((teacher, i) => ({
          teacher,
          weight: teachers[i]?.weight ?? 1,
          when: teachers[i]?.when,
        }));
        return mode === "route"
          ? routedTeacher(members, (ids) => run.tokenizer.decode(ids))
          : mixtureTeacher(members, options);
      },
      dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  }
};

function sharedTokenizer(loaded: readonly LoadedTeacher[]): Pick<LoadedTeacher, "tokenizer"> {
  const [first, ...others] = loaded.flatMap(({ tokenizer }) => tokenizer ?? []);
  const other = others.find(({ fingerprint }) => fingerprint !== first?.fingerprint);
  if (first !== undefined && other !== undefined) {
    throw new PupilError(
      `The teachers have different tokenizers (${first.vocabSize} and ${other.vocabSize} ids).`,
      {
        field: "teacher.teachers",
        remedy: "Several teachers of one student need one tokenizer: the student's.",
      },
    );
  }
  return first === undefined ? {} : { tokenizer: first };
}
