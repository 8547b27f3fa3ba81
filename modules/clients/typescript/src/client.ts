import type { components } from "./api.js";
import { FeedrankError } from "./errors.js";
import { defaultRetry, retrying, type Retry } from "./retry.js";
import { updates, type Waiting } from "./updates.js";

export type Page = components["schemas"]["Page"];
export type Item = components["schemas"]["Item"];
export type Event = components["schemas"]["Event"];
export type Action = Event["action"];
export type Accepted = components["schemas"]["Accepted"];
export type Suggestion = components["schemas"]["Suggestions"]["items"][number];

/** Gives the bearer token of the user; anew says that the server has refused the last one. */
export type TokenSource = (anew: boolean) => string | Promise<string>;

export interface ClientOptions {
  retry?: Partial<Retry>;
  /** Instead of the global one. */
  fetch?: typeof fetch;
  /** Milliseconds that one request may take. */
  timeout?: number;
}

export interface FeedOptions {
  /** Posts of a page, 1 to 100. */
  limit?: number;
  /** next_cursor of the page before. */
  cursor?: string;
  algo?: "ranked" | "timeline";
  explain?: boolean;
  /** Languages, parted by commas, of which a post must be in one. Each page of a session has the same. */
  lang?: string;
  /** Labels, likewise. */
  labels?: string;
  signal?: AbortSignal;
}

export interface Call {
  method?: string;
  query?: Record<string, string | number | boolean | undefined>;
  body?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  keepalive?: boolean;
}

/** Calls feedrank for one user. */
export class Client {
  readonly base: string;
  readonly retry: Retry;
  readonly timeout: number;
  private readonly ask: typeof fetch;

  constructor(base: string, private readonly token: TokenSource, options: ClientOptions = {}) {
    this.base = new URL(base).href.replace(/\/$/, "");
    this.retry = { ...defaultRetry, ...options.retry };
    this.timeout = options.timeout ?? 30_000;
    this.ask = options.fetch ?? ((input, init) => fetch(input, init));
  }

  /** One page of the feed. */
  feed(options: FeedOptions = {}): Promise<Page> {
    const { signal, ...query } = options;
    return this.json<Page>("/api/v1/feed", { query, signal });
  }

  /**
   * The pages of one session, which neither repeat nor skip. An error with the code cursor_expired says that the
   * session is too old: begin a new one.
   */
  async *pages(options: FeedOptions = {}): AsyncGenerator<Page, void> {
    let cursor = options.cursor;
    for (;;) {
      const page = await this.feed(cursor === undefined ? options : { ...options, cursor });
      yield page;
      if (!page.next_cursor) return;
      cursor = page.next_cursor;
    }
  }

  /** The posts of pages(), one after the other. */
  async *items(options: FeedOptions = {}): AsyncGenerator<Item, void> {
    for await (const page of this.pages(options)) yield* page.items;
  }

  /** What is popular now. */
  trending(window: "1h" | "24h" | "7d" = "24h", options: { limit?: number; signal?: AbortSignal } = {}): Promise<Page> {
    return this.json<Page>("/api/v1/feed/trending", { query: { window, limit: options.limit }, signal: options.signal });
  }

  /** How many new posts there are since a page's as_of, asked once. updates() tells whenever it is another number. */
  newPosts(since: string, signal?: AbortSignal): Promise<Waiting> {
    return this.json<Waiting>("/api/v1/feed", { query: { since }, signal });
  }

  /**
   * How many new posts there are since a page's as_of: at once, and then whenever the number is another. A stream that
   * is lost is opened again and goes on where it was. It ends when the signal aborts.
   */
  updates(since: string, signal?: AbortSignal): AsyncGenerator<Waiting, void> {
    return updates(this, since, signal);
  }

  /** Whom to follow. */
  async suggestedUsers(options: { limit?: number; signal?: AbortSignal } = {}): Promise<Suggestion[]> {
    const list = await this.json<components["schemas"]["Suggestions"]>("/api/v1/discover/suggested-users",
      { query: { limit: options.limit }, signal: options.signal });
    return list.items;
  }

  /** Takes somebody out of the suggestions, or with back lets them be suggested again. */
  async dismiss(user: string, back = false): Promise<void> {
    const path = `/api/v1/discover/suggested-users/${encodeURIComponent(user)}/dismiss`;
    await retrying(this.retry, undefined, () => this.send(path, { method: back ? "DELETE" : "POST" }));
  }

  /** Sends a batch of at most 100; resolves when the server has it for good. A Recorder does it without waiting. */
  sendEvents(events: Event[], options: { signal?: AbortSignal; keepalive?: boolean } = {}): Promise<Accepted> {
    return this.json<Accepted>("/api/v1/events", { method: "POST", body: JSON.stringify({ events }), ...options });
  }

  private json<T>(path: string, call: Call): Promise<T> {
    return retrying(this.retry, call.signal, async () => {
      const limit = AbortSignal.timeout(this.timeout);
      const signal = call.signal ? AbortSignal.any([call.signal, limit]) : limit;
      return (await this.send(path, { ...call, signal })).json() as Promise<T>;
    });
  }

  /** Asks once, and once more with another token where the first is refused. */
  async send(path: string, call: Call): Promise<Response> {
    const url = new URL(this.base + path);
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    for (let anew = false; ; anew = true) {
      const headers: Record<string, string> = { ...call.headers, Authorization: `Bearer ${await this.token(anew)}` };
      if (call.body !== undefined) headers["Content-Type"] = "application/json";
      const response = await this.ask(url, {
        method: call.method ?? "GET", headers, body: call.body ?? null, signal: call.signal ?? null,
        keepalive: call.keepalive ?? false, cache: "no-store", credentials: "omit",
      });
      if (response.ok) return response;
      if (response.status !== 401 || anew) throw await FeedrankError.of(response);
    }
  }
}
