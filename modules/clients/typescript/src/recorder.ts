import type { Action, Client, Event, Item } from "./client.js";
import { FeedrankError, temporary } from "./errors.js";
import { pause, pauseFor } from "./retry.js";

/** Why an event was given up. */
export type DropReason =
  | { kind: "full" } // more wait than may, since the server does not take them
  | { kind: "rejected"; code: string; reason: string } // by the server: to send it again does not help
  | { kind: "refused"; error: unknown }; // the whole batch

export interface RecorderOptions {
  /** Milliseconds: events are sent at least so often. */
  every?: number;
  /** As many are sent at once, 1 to 100. */
  batch?: number;
  /** Wait at most; then the oldest are dropped. */
  most?: number;
  /** Where events outlive the page: localStorage, unless it is null or not there. */
  storage?: Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;
  /** The key in storage; one for each user. */
  key?: string;
  dropped?: (event: Event, reason: DropReason) => void;
}

/** Bodies of requests that outlive their page may have so many bytes, all together. */
const keepaliveBytes = 60_000;

/**
 * Collects events and sends them in batches, in their order. What is not sent when a page is left is sent by a request
 * that outlives it, and is in storage until the server has it: an event that arrives twice counts once.
 */
export class Recorder {
  private waiting: Event[] = [];
  private sending: Promise<void> | undefined;
  private readonly stop = new AbortController();
  private readonly o: Required<RecorderOptions>;
  private readonly timer: ReturnType<typeof setInterval>;
  private readonly onHide = () => this.leave();
  private readonly onOnline = () => void this.flush();

  constructor(private readonly client: Client, options: RecorderOptions = {}) {
    this.o = {
      every: 5000, batch: 50, most: 1000, key: "feedrank.events", dropped: () => undefined,
      storage: (globalThis as { localStorage?: Storage }).localStorage ?? null, ...options,
    };
    this.o.batch = Math.min(100, Math.max(1, this.o.batch));
    this.load();
    this.timer = setInterval(() => void this.flush(), this.o.every);
    (this.timer as { unref?: () => void }).unref?.(); // of Node.js, which would wait for it
    globalThis.addEventListener?.("pagehide", this.onHide);
    globalThis.addEventListener?.("online", this.onOnline);
  }

  /** How many events were not sent yet. */
  get length(): number {
    return this.waiting.length;
  }

  /** Keeps an event on a post, in the session in which it was served, until it is sent. */
  record(item: Pick<Item, "post" | "author" | "feed_session">, action: Action, more: { dwell_ms?: number } = {}): void {
    this.add({
      event_id: crypto.randomUUID(), action, post: item.post, author: item.author, feed_session: item.feed_session,
      occurred_at: new Date().toISOString(), ...more,
    });
  }

  add(event: Event): void {
    this.waiting.push(event);
    while (this.waiting.length > this.o.most) this.o.dropped(this.waiting.shift()!, { kind: "full" });
    this.save();
    if (this.waiting.length >= this.o.batch) void this.flush();
  }

  /** Sends what waits; resolves when all is sent or the recorder is closed. It never rejects. */
  flush(): Promise<void> {
    this.sending ??= this.sendAll().finally(() => (this.sending = undefined));
    return this.sending;
  }

  /** Ends it, after what waits was sent if that is possible at once. What is left stays in storage. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    globalThis.removeEventListener?.("pagehide", this.onHide);
    globalThis.removeEventListener?.("online", this.onOnline);
    this.stop.abort();
    await this.sending;
    try {
      while (this.waiting.length > 0) await this.sendBatch();
    } catch {
      this.save();
    }
  }

  private async sendAll(): Promise<void> {
    for (let failed = 0; this.waiting.length > 0 && !this.stop.signal.aborted; ) {
      try {
        await this.sendBatch();
        failed = 0;
      } catch (error) {
        await pause(pauseFor(this.client.retry, ++failed, error), this.stop.signal);
      }
    }
  }

  /** Sends the oldest; throws if that may help another time. */
  private async sendBatch(): Promise<void> {
    const batch = this.waiting.slice(0, this.o.batch);
    try {
      const answer = await this.client.sendEvents(batch);
      this.forget(batch);
      for (const { index, code, reason } of answer.rejected) {
        if (batch[index]) this.o.dropped(batch[index], { kind: "rejected", code, reason });
      }
    } catch (error) {
      if (temporary(error) || !(error instanceof FeedrankError) || error.status === 401) throw error;
      this.forget(batch);
      for (const event of batch) this.o.dropped(event, { kind: "refused", error });
    }
  }

  /** The page is left: nobody waits for an answer. */
  private leave(): void {
    this.save();
    let bytes = 0;
    for (let at = 0; at < this.waiting.length; at += this.o.batch) {
      const batch = this.waiting.slice(at, at + this.o.batch);
      bytes += JSON.stringify(batch).length;
      if (bytes > keepaliveBytes) return; // the rest is in storage
      this.client.sendEvents(batch, { keepalive: true }).then(() => this.forget(batch), () => undefined);
    }
  }

  private forget(batch: Event[]): void {
    const sent = new Set(batch.map((event) => event.event_id));
    this.waiting = this.waiting.filter((event) => !sent.has(event.event_id));
    this.save();
  }

  private load(): void {
    try {
      const kept: unknown = JSON.parse(this.o.storage?.getItem(this.o.key) ?? "[]");
      if (Array.isArray(kept)) this.waiting = kept.slice(-this.o.most) as Event[];
    } catch {
      this.waiting = []; // somebody else's
    }
  }

  private save(): void {
    try {
      if (this.waiting.length === 0) this.o.storage?.removeItem(this.o.key);
      else this.o.storage?.setItem(this.o.key, JSON.stringify(this.waiting));
    } catch {
      // storage is full or not allowed: they are kept as long as the page is
    }
  }
}
