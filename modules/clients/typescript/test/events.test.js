// Server-Sent Events, whatever pieces they come in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventParser } from "../dist/index.js";

const text = "retry: 3000\n\n:\n\nevent: new_posts\nid: 5-1\ndata: {\"new_posts\":1}\n\ndata: a\r\ndata: b\r\n\r\n";
const want = [
  { name: "", id: undefined, data: "", retry: 3000 },
  { name: "new_posts", id: "5-1", data: '{"new_posts":1}', retry: undefined },
  { name: "", id: "5-1", data: "a\nb", retry: undefined },
];

test("events are the same in whatever pieces they come", () => {
  for (let size = 1; size <= text.length; size++) {
    const parser = new EventParser();
    const events = [];
    for (let at = 0; at < text.length; at += size) events.push(...parser.add(text.slice(at, at + size)));
    assert.deepEqual(events, want, `pieces of ${size}`);
  }
});
