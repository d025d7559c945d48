import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { PupilError } from "../../../errors/index.js";
import { EngineAwayError } from "../executor.js";

export interface RayAnswer {
  readonly status: number;
  readonly text: string;
}

/** Asks Ray's dashboard. */
export type AskRay = (
  method: "GET" | "POST" | "PUT",
  path: string,
  body?: object | Uint8Array,
) => Promise<RayAnswer>;

const timeoutMs = 60_000;

/**
 * Requests to the dashboard that `RAY_ADDRESS` names, with the headers of `RAY_JOB_HEADERS` and the token of
 * `RAY_AUTH_TOKEN`. By `node:http`: Ray refuses whatever sends `Sec-Fetch-Mode`, as `fetch` always does.
 *
 * @throws PupilError where the environment has no address, or one that is not a dashboard's
 */
export function rayHttp(env: NodeJS.ProcessEnv = process.env): AskRay {
  const base = addressOf(env["RAY_ADDRESS"]);
  const headers = headersOf(env);
  const send = base.protocol === "https:" ? httpsRequest : httpRequest;
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const isBytes = body instanceof Uint8Array;
      const bytes = isBytes || body === undefined ? body : Buffer.from(JSON.stringify(body));
      const type = isBytes ? "application/octet-stream" : "application/json";
      const prefix = base.pathname.replace(/\/$/, "");
      const call = send(
        new URL(`${prefix}${path}`, base),
        {
          method,
          timeout: timeoutMs,
          headers: {
            ...headers,
            ...(bytes === undefined
              ? {}
              : { "content-type": type, "content-length": String(bytes.length) }),
          },
        },
        (answer) => {
          const parts: Buffer[] = [];
          answer.on("data", (part: Buffer) => parts.push(part));
          answer.once("error", (error) => reject(noAnswer(base, error)));
          answer.once("end", () => {
            const text = Buffer.concat(parts).toString("utf8");
            resolve({ status: answer.statusCode ?? 0, text });
          });
        },
      );
      call.once("timeout", () => call.destroy(new Error(`no answer within ${timeoutMs / 1000} s`)));
      call.once("error", (error) => reject(noAnswer(base, error)));
      call.end(bytes);
    });
}

function noAnswer({ host }: URL, error: Error): EngineAwayError {
  const { code } = error as NodeJS.ErrnoException;
  return new EngineAwayError(`Ray at ${host} does not answer: ${error.message || (code ?? "")}`, {
    field: "RAY_ADDRESS",
  });
}

function addressOf(given: string | undefined): URL {
  const remedy = "Set it to the address of the dashboard, such as http://127.0.0.1:8265.";
  if (given === undefined || given === "") {
    throw new PupilError("the environment has no RAY_ADDRESS.", {
      field: "executor",
      value: "ray",
      remedy,
    });
  }
  if (/^https?:\/\//.test(given) && URL.canParse(given)) return new URL(given);
  throw new PupilError("is not the address of a dashboard.", {
    ...{ field: "RAY_ADDRESS", value: given, remedy },
  });
}

/** `RAY_JOB_HEADERS` is JSON, as for Ray's own command line. */
function headersOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const token = env["RAY_AUTH_TOKEN"];
  const given = env["RAY_JOB_HEADERS"];
  const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
  if (given === undefined) return bearer;
  try {
    return { ...bearer, ...(JSON.parse(given) as Record<string, string>) };
  } catch {
    throw new PupilError("is not JSON.", {
      field: "RAY_JOB_HEADERS",
      remedy: 'Give an object of headers, such as {"Authorization": "…"}.',
    });
  }
}
