/** Answers of teacher servers, as their protocols read them. */
import { characterTokenizer } from "../../../src/data/index.js";
import { PupilError } from "../../../src/errors/index.js";
import {
  type TeacherServer,
  teacherProtocols,
  teacherServers,
} from "../../../src/teachers/index.js";
import { fakeRoutes } from "../../../tests/setup/servers/fake-teacher-protocols.js";
import { bytesOf, type FuzzTarget, textOf } from "../target.js";

const tokenizer = characterTokenizer({ alphabet: "0123456789+=" });
const query = { ids: [1, 2, 3, 4, 5], positions: [2, 4], topK: 3 };
const completion = {
  promptIds: [1, 2],
  endIds: [3],
  maxNewTokens: 4,
  temperature: 0,
  topK: 0,
  topP: 1,
  seed: 1,
};

type Post = (body: object) => Promise<unknown>;

const access = (post: Post) => ({
  model: "fake",
  tokenizer,
  vocabSize: tokenizer.vocabSize,
  sendAs: "ids" as const,
  post,
});

/** The right answers to a query, in order. */
async function rightAnswers(server: TeacherServer, ask: (post: Post) => unknown): Promise<object> {
  const { path } = teacherProtocols[server];
  const answer = fakeRoutes({ tokenizer })[path];
  const answers: unknown[] = [];
  await ask((body) => {
    const given = answer?.(JSON.parse(JSON.stringify(body)), undefined);
    answers.push(given);
    return Promise.resolve(given);
  });
  return answers;
}

/** An answer that does not fit is a PupilError once the teacher has said whose it is. */
async function explained(work: Promise<unknown>): Promise<unknown> {
  try {
    return await work;
  } catch (error) {
    if ((error as Error).name !== "WrongAnswer") throw error;
    throw new PupilError((error as Error).message, { cause: error });
  }
}

function target(server: TeacherServer, what: "score" | "complete"): FuzzTarget[] {
  const protocol = teacherProtocols[server];
  const complete = "complete" in protocol ? protocol.complete : undefined;
  if (what === "complete" && complete === undefined) return [];
  const ask = (post: Post): Promise<unknown> =>
    what === "score"
      ? protocol.score(query, access(post))
      : (complete?.(completion, access(post)) as Promise<unknown>);
  return [
    {
      name: `answer-${server}-${what}`,
      shapes: { "*": ["json"] },
      seeds: async () => [{ answers: bytesOf(await rightAnswers(server, ask)) }],
      read: ({ answers }) => {
        let list: unknown;
        try {
          list = JSON.parse(textOf(answers));
        } catch {
          throw new PupilError("is not JSON.");
        }
        if (!Array.isArray(list)) throw new PupilError("is no list of answers.");
        let asked = 0;
        return explained(ask(() => Promise.resolve(list[asked++] as unknown)));
      },
      check: (value) => {
        const scores = what === "score" ? (value as { tokenLogProb: number }[]) : [];
        const bad = scores.find(({ tokenLogProb }) => !(tokenLogProb <= 1e-3));
        return bad && `a score of ${JSON.stringify(bad)}`;
      },
      allowsUndefined: true,
    },
  ];
}

export const serverTargets: readonly FuzzTarget[] = teacherServers.flatMap((server) => [
  ...target(server, "score"),
  ...target(server, "complete"),
]);
