import type { components } from "./api.js";

/** A stable word for what went wrong. New ones may come. */
export type Code = components["schemas"]["Problem"]["code"];

/** A problem that the server told of (RFC 9457). */
export class FeedrankError extends Error {
  override readonly name = "FeedrankError";

  constructor(
    readonly status: number,
    /** Undefined: what answered is no feedrank, but a proxy before it. */
    readonly code: Code | undefined,
    readonly detail: string,
    /** The parameter or member that is wrong, if one is. */
    readonly field: string | undefined,
    /** For the server's log. */
    readonly requestId: string | undefined,
    /** Milliseconds to wait before asking again; 0: the server did not say. */
    readonly retryAfter: number,
  ) {
    super(`${status} ${code ?? ""}: ${field ? field + ": " : ""}${detail}`);
  }

  /** Whether to ask again may help. */
  get temporary(): boolean {
    return [408, 429, 502, 503, 504].includes(this.status);
  }

  static async of(response: Response): Promise<FeedrankError> {
    let told: Partial<components["schemas"]["Problem"]> = {};
    try {
      told = await response.json();
    } catch {
      // a proxy's page is no problem document
    }
    const seconds = Number(response.headers.get("Retry-After") ?? 0);
    return new FeedrankError(response.status, told.code, told.detail ?? response.statusText, told.field,
      told.request_id ?? response.headers.get("X-Request-Id") ?? undefined, seconds > 0 ? seconds * 1000 : 0);
  }
}

/** What is worth asking again: the network, and what the server says passes. */
export function temporary(error: unknown): boolean {
  return error instanceof FeedrankError ? error.temporary : error instanceof TypeError || isTimeout(error);
}

function isTimeout(error: unknown): boolean {
  return error instanceof DOMException && error.name === "TimeoutError";
}
