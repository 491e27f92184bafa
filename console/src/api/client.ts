/** The one way the console speaks HTTP: JSON in and out, refusals as `Problem` in the server's own words. */

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;

  constructor(status: number, code: string, message: string, hint: string | null = null) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

interface ProblemBody {
  code?: string;
  message?: string;
  detail?: string;
  title?: string;
  hint?: string;
}

async function problemOf(response: Response): Promise<Problem> {
  const type = response.headers.get("content-type") ?? "";
  if (!type.includes("json")) {
    return new Problem(response.status, "unexpected", `the server answered ${response.status}`);
  }
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  const message = body.message ?? body.detail ?? body.title ?? `the server answered ${response.status}`;
  return new Problem(response.status, body.code ?? "unexpected", String(message), body.hint ?? null);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, { credentials: "same-origin", ...init });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new Problem(
      0,
      "unreachable",
      "the server does not answer",
      "check that it is running and reachable",
    );
  }
}

/** GET (or whatever `method` says) `path`; returns the decoded body, or undefined for an empty one. */
export async function call<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await send(path, init);
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** Send `body` as JSON with `method`. */
export function submit<T>(method: "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<T> {
  const headers = body === undefined ? undefined : { "Content-Type": "application/json" };
  return call<T>(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
}

type Params = Record<string, string | number | string[] | undefined>;

/** `path` with `params` as a query; arrays repeat, undefined is left out. */
export function withQuery(path: string, params: Params): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
