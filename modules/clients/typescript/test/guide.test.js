// The snippets of the guide, as they stand there, against a server: see client.test.js.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Client, FeedrankError, Recorder } from "../dist/index.js";

const { FEEDRANK_URL: url, FEEDRANK_TOKEN: token } = process.env;
const skip = url ? false : "there is no FEEDRANK_URL";
const guide = await readFile(new URL("../../README.md", import.meta.url), "utf8");
const snippets = Object.fromEntries([...guide.matchAll(/<!-- ts: (\w+) -->\n```js\n([^]*?)```/g)].map((m) => [m[1], m[2]]));
const AsyncFunction = (async () => undefined).constructor;

/** Runs a snippet with these names. */
const run = (name, names, then = "") =>
  new AsyncFunction(...Object.keys(names), snippets[name] + then)(...Object.values(names));

test("the snippets of the guide", { skip }, async () => {
  assert.deepEqual(Object.keys(snippets), ["feed", "errors", "events", "updates"]);
  const items = [];
  const client = await run("feed", {
    Client, address: url, tokenOfMyBackend: () => token, show: (item) => items.push(item),
  }, "return client;");
  assert.ok(items.length > 20);

  await assert.rejects(run("errors", { client, cursor: "x", FeedrankError, beginAnew: () => undefined }),
    { code: "invalid_cursor" });

  const recorder = await run("events", { Recorder, client, item: items[0], console }, "return recorder;");
  assert.equal(recorder.length, 2);
  await recorder.close();
  assert.equal(recorder.length, 0);

  const stop = new AbortController();
  const told = [];
  const page = await client.feed({ limit: 1 });
  await run("updates", {
    client, page, signal: stop.signal, showPill: (n, more) => (told.push([n, more]), stop.abort()),
  });
  assert.deepEqual(told, [[0, false]]);
});
