import type { components } from "./api.js";
import type { Client } from "./client.js";
import { temporary } from "./errors.js";
import { pause, pauseFor } from "./retry.js";

/** How many new posts there are; more: than that. */
export type Waiting = components["schemas"]["Waiting"];

/** One event of a stream. */
export interface StreamEvent {
  name: string;
  id: string | undefined;
  data: string;
  retry: number | undefined;
}

/** Takes a stream of text apart: Server-Sent Events, as the HTML standard has them. */
export class EventParser {
  private rest = "";
  private name = "";
  private id: string | undefined;
  private data: string[] = [];
  private retry: number | undefined;

  /** The events that are whole with this piece. */
  *add(piece: string): Generator<StreamEvent, void> {
    const lines = (this.rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line !== "") {
        this.line(line);
        continue;
      }
      if (this.data.length > 0 || this.retry !== undefined) {
        yield { name: this.name, id: this.id, data: this.data.join("\n"), retry: this.retry };
      }
      [this.name, this.data, this.retry] = ["", [], undefined];
    }
  }

  private line(line: string): void {
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.name = value;
    else if (field === "id") this.id = value;
    else if (field === "data") this.data.push(value);
    else if (field === "retry" && /^\d+$/.test(value)) this.retry = Number(value);
  }
}

/** A stream that says nothing for so long, heartbeats included, is opened again. */
const silence = 90_000;

export async function* updates(client: Client, since: string, signal?: AbortSignal): AsyncGenerator<Waiting, void> {
  let last: string | undefined;
  let retry = 0;
  for (let failed = 0; !signal?.aborted; failed++) {
    const stop = new AbortController();
    const end = () => stop.abort();
    signal?.addEventListener("abort", end);
    let alive = setTimeout(end, silence);
    let lost: unknown;
    try {
      const response = await client.send("/api/v1/feed/updates", {
        query: { since }, signal: stop.signal,
        headers: { Accept: "text/event-stream", ...(last === undefined ? {} : { "Last-Event-ID": last }) },
      });
      const parser = new EventParser();
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
        clearTimeout(alive);
        alive = setTimeout(end, silence);
        for (const event of parser.add(piece.value)) {
          retry = event.retry ?? retry;
          if (event.name !== "new_posts") continue;
          failed = 0;
          last = event.id;
          yield JSON.parse(event.data) as Waiting;
        }
      }
    } catch (error) {
      lost = error;
      if (!signal?.aborted && !stop.signal.aborted && !temporary(error)) throw error;
    } finally {
      clearTimeout(alive);
      signal?.removeEventListener("abort", end);
      stop.abort();
    }
    if (!signal?.aborted) await pause(Math.max(retry, pauseFor(client.retry, failed, lost)), signal);
    retry = 0;
  }
}
