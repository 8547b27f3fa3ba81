import { FeedrankError, temporary } from "./errors.js";

/** How often and how fast to ask again; milliseconds. */
export interface Retry {
  /** After the first; 0: never. */
  times: number;
  /** The pause doubles from least to most; each is between half of it and all. */
  least: number;
  most: number;
  /** A Retry-After beyond that is not waited for: the error is thrown. */
  mostAfter: number;
}

export const defaultRetry: Retry = { times: 4, least: 200, most: 5000, mostAfter: 30_000 };

/** How long to wait before asking again: what the server says, if it does, and not everybody at the same moment. */
export function pauseFor(retry: Retry, n: number, error: unknown): number {
  const longest = Math.min(retry.most, retry.least * 2 ** Math.min(n, 20));
  const pause = longest / 2 + (Math.random() * longest) / 2;
  return error instanceof FeedrankError && error.retryAfter > 0 ? error.retryAfter + pause : pause;
}

/** Resolves after so many milliseconds, or as soon as the signal aborts. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) end();
    else signal?.addEventListener("abort", end);
  });
}

/** Calls until that succeeds, cannot, or was tried often enough. */
export async function retrying<T>(retry: Retry, signal: AbortSignal | undefined, call: () => Promise<T>): Promise<T> {
  for (let n = 0; ; n++) {
    try {
      return await call();
    } catch (error) {
      if (!temporary(error) || n >= retry.times || signal?.aborted) throw error;
      const wait = pauseFor(retry, n, error);
      if (wait > Math.max(retry.mostAfter, retry.most)) throw error;
      await pause(wait, signal);
      if (signal?.aborted) throw error;
    }
  }
}
