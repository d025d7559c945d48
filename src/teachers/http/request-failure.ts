/** A request that was not answered as it should be, and what may help. */
export class RequestFailure extends Error {
  /** Whether the same request may succeed later. */
  readonly isTransient: boolean;
  /** Whether a connection was lost before there was any answer: it may have been an old one. */
  readonly isUnanswered: boolean;
  /** How long the server asks to wait. */
  readonly retryAfterMs: number;
  readonly remedy: string | undefined;

  constructor(
    message: string,
    options: {
      isTransient: boolean;
      isUnanswered?: boolean;
      retryAfterMs?: number;
      remedy?: string;
    },
  ) {
    super(message);
    this.name = "RequestFailure";
    this.isTransient = options.isTransient;
    this.isUnanswered = options.isUnanswered ?? false;
    this.retryAfterMs = options.retryAfterMs ?? 0;
    this.remedy = options.remedy;
  }
}

/** Statuses that pass: too early, too many requests, a server that restarts or is overloaded. */
const transientStatuses = [408, 425, 429, 500, 502, 503, 504];

const keyRemedy =
  "Set teacher.apiKeyVariable to the name of the environment variable that holds the key, and check the key.";

const redirectRemedy = "Set teacher.url to the address that it redirects to.";

const remedies: Readonly<Record<number, string>> = {
  301: redirectRemedy,
  302: redirectRemedy,
  307: redirectRemedy,
  308: redirectRemedy,
  400: "The server's words say what it refuses; a smaller teacher.topK is often what it wants.",
  401: keyRemedy,
  403: keyRemedy,
  404: "Check teacher.url (without the path), teacher.server and teacher.model.",
  405: "Check teacher.url and teacher.server.",
  413: "Shorten the rows.",
  422: "Check teacher.server: another kind of server answers there, perhaps.",
};

/** An answer whose status says that it failed. `body` is shown in part. */
export function statusFailure(response: Response, body: string): RequestFailure {
  const { status, statusText } = response;
  const remedy = remedies[status];
  return new RequestFailure(`${`${status} ${statusText}`.trim()}: ${excerpt(body)}`, {
    isTransient: transientStatuses.includes(status),
    retryAfterMs: retryAfter(response.headers.get("retry-after")),
    ...(remedy === undefined ? {} : { remedy }),
  });
}

/**
 * No answer, or not all of it: the network's own words, which are in the causes of what `fetch`
 * throws.
 */
export function networkFailure(
  error: unknown,
  timeoutMs: number,
  isUnanswered: boolean,
): RequestFailure {
  const isTransient = true;
  if (error instanceof Error && error.name === "TimeoutError") {
    return new RequestFailure(`no answer within ${timeoutMs / 1000} seconds`, {
      isTransient,
      remedy: "Raise teacher.timeoutSeconds, or lower teacher.concurrency.",
    });
  }
  return new RequestFailure(reasonOf(error), {
    isTransient,
    isUnanswered,
    remedy: "Is the server running, and is teacher.url its address?",
  });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, cause } = error as Error & { code?: unknown };
  if (cause instanceof Error) return reasonOf(cause);
  return [error.message, code].filter((part) => part !== undefined && part !== "").join(" ");
}

/** The first 200 characters of what a server said, on one line. */
export function excerpt(body: string): string {
  const text = body.replace(/\s+/g, " ").trim();
  if (text === "") return "(empty)";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Seconds or a date. */
function retryAfter(header: string | null): number {
  if (header === null) return 0;
  const seconds = Number(header);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : 0;
}
