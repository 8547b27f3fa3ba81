// The client against a server: FEEDRANK_URL, whose user FEEDRANK_TOKEN follows user 3. FEEDRANK_POST is an address that
// makes a post of theirs for each POST. test/e2e runs it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Client, FeedrankError, Recorder } from "../dist/index.js";

const { FEEDRANK_URL: url, FEEDRANK_TOKEN: token, FEEDRANK_POST: post } = process.env;
const skip = url ? false : "there is no FEEDRANK_URL";
const retry = { times: 3, least: 1, most: 20, mostAfter: 3000 };

/** A fetch whose network can be cut. */
function network() {
  const n = { cut: false, calls: 0 };
  n.fetch = (...args) => {
    n.calls++;
    return n.cut ? Promise.reject(new TypeError("the network is cut")) : fetch(...args);
  };
  return n;
}

const client = (options = {}) => new Client(url, () => token, { retry, ...options });

async function until(holds, what) {
  for (let n = 0; n < 500; n++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`not within 10 s: ${what}`);
}

/** localStorage of a test. */
function storage() {
  const kept = new Map();
  return { kept, getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => void kept.set(k, v), removeItem: (k) => void kept.delete(k) };
}

test("pages of a session have no post twice", { skip }, async () => {
  const posts = [];
  for await (const item of client().items({ limit: 7 })) posts.push(item.post);
  assert.ok(posts.length >= 30, `${posts.length} posts`);
  assert.equal(new Set(posts).size, posts.length);
  assert.ok(Array.isArray((await client().trending("1h", { limit: 5 })).items));
  assert.ok(Array.isArray(await client().suggestedUsers({ limit: 5 })));
});

test("errors have a code, a field and the id of the request", { skip }, async () => {
  await assert.rejects(client().feed({ limit: 1000 }), (error) => {
    assert.ok(error instanceof FeedrankError);
    assert.deepEqual([error.status, error.code, error.field, error.temporary], [400, "invalid_request", "limit", false]);
    assert.ok(error.requestId);
    return true;
  });
  await assert.rejects(client().feed({ cursor: "x" }), { code: "invalid_cursor" });
});

test("a token that is refused is asked for anew, once", { skip }, async () => {
  const asked = [];
  const c = new Client(url, (anew) => (asked.push(anew), anew ? token : "of before"), { retry });
  assert.ok((await c.feed({ limit: 1 })).as_of);
  assert.deepEqual(asked, [false, true]);
  await assert.rejects(new Client(url, () => "of nobody", { retry }).feed(), { code: "unauthenticated" });
});

test("what may be asked again is, as often as it may", { skip }, async () => {
  const n = network();
  n.cut = true;
  await assert.rejects(client({ fetch: n.fetch }).feed(), TypeError);
  assert.equal(n.calls, 4);
});

test("events wait while the server is away, bounded, and outlive the page", { skip }, async () => {
  const n = network();
  const kept = storage();
  const dropped = [];
  const options = { every: 10, batch: 3, most: 5, storage: kept, dropped: (event, reason) => dropped.push(reason) };
  const c = client({ fetch: n.fetch });
  const { items } = await c.feed({ limit: 5 });
  n.cut = true;
  const first = new Recorder(c, options);
  for (let i = 0; i < 7; i++) first.record(items[0], "impression");
  assert.equal(first.length, 5);
  assert.deepEqual(dropped, [{ kind: "full" }, { kind: "full" }]);
  await first.close();
  assert.equal(JSON.parse(kept.kept.get("feedrank.events")).length, 5, "they are in storage");

  n.cut = false;
  const second = new Recorder(c, options);
  second.record(items[0], "stare");
  await until(() => second.length === 0, "what waited is sent");
  assert.equal(dropped[2].kind, "full", "six are more than may wait");
  assert.equal(dropped[3].code, "unknown_action");
  assert.equal(kept.kept.size, 0);
  await second.close();
});

test("what waits when the page is left is sent by a request that outlives it", { skip }, async () => {
  const sent = [];
  const c = client({ fetch: (input, init) => (sent.push(init), fetch(input, init)) });
  const { items } = await c.feed({ limit: 1 });
  const page = new EventTarget();
  Object.assign(globalThis, {
    addEventListener: page.addEventListener.bind(page), removeEventListener: page.removeEventListener.bind(page),
  });
  const r = new Recorder(c, { every: 3_600_000, storage: storage() });
  r.record(items[0], "dwell", { dwell_ms: 1200 });
  page.dispatchEvent(new Event("pagehide"));
  await until(() => r.length === 0, "it is sent");
  assert.equal(sent.at(-1).keepalive, true);
  await r.close();
});

test("updates tell of a new post, and go on where a stream was lost", { skip }, async () => {
  const { as_of: since } = await client().feed({ limit: 1 });
  const stop = new AbortController();
  let lose;
  let streams = 0;
  const c = client({
    fetch: async (input, init) => {
      if (!String(input).includes("updates")) return fetch(input, init);
      streams++;
      const cut = new AbortController();
      lose = () => cut.abort(new TypeError("the network is cut"));
      return fetch(input, { ...init, signal: AbortSignal.any([init.signal, cut.signal]) });
    },
  });
  const told = [];
  const done = (async () => {
    for await (const waiting of c.updates(since, stop.signal)) told.push(waiting.new_posts);
  })();
  await until(() => told.length === 1, "the first number");
  await fetch(post, { method: "POST" });
  await until(() => told.at(-1) === 1, "the post");
  lose();
  await until(() => streams === 2, "another stream");
  await fetch(post, { method: "POST" });
  await until(() => told.at(-1) === 2, "the next post");
  stop.abort();
  await done;
  assert.deepEqual(told, [0, 1, 2]);
});
