import { PupilError } from "../../errors/index.js";

/** The url, checked without being repeated where it holds a password. */
export function checkedUrl(given: string): string {
  if (!URL.canParse(given) || !/^https?:/.test(given)) {
    throw new PupilError("is not the address of a server.", {
      field: "teacher.url",
      value: given,
      remedy: "It looks like http://localhost:8000.",
    });
  }
  const { username, password, search } = new URL(given);
  if (username !== "" || password !== "" || search !== "") {
    throw new PupilError("has a user, a password or a query in it, which every log would show.", {
      field: "teacher.url",
      remedy:
        "Leave them out; a key belongs in an environment variable that teacher.apiKeyVariable names.",
    });
  }
  return given.replace(/\/+$/, "");
}

/** The key in the environment variable that a config names. */
export function readKey(variable: string): string {
  if (!/^[A-Z][A-Z0-9_]*$/.test(variable)) {
    // Perhaps the key itself: it is not shown.
    throw new PupilError("is not the name of an environment variable.", {
      field: "teacher.apiKeyVariable",
      remedy: "Give a name such as OPENAI_API_KEY; the key itself must not be in a config.",
    });
  }
  const key = process.env[variable]?.trim();
  if (key === undefined || key === "") {
    throw new PupilError(`The environment variable ${variable} is not set.`, {
      field: "teacher.apiKeyVariable",
      remedy: `Set it before the run: export ${variable}=…`,
    });
  }
  return key;
}
