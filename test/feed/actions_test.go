package feed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/absent"
	"github.com/feedrank/feedrank/modules/feed/graph"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
)

// What people do in a world, and what the consumers make of it.

// consume does what a consumer does: at once, or when ClickHouse is back.
func (w *world) consume(do func()) {
	w.t.Helper()
	if w.away.clickhouse.closed.Load() {
		w.waiting = append(w.waiting, do)
		return
	}
	do()
}

// back has ClickHouse back, and the consumers catch up.
func (w *world) back() {
	w.t.Helper()
	w.away.clickhouse.closed.Store(false)
	for _, do := range w.waiting {
		do()
	}
	w.waiting = nil
}

// record writes an event as the API and the consumer do, who tell the feed of it.
func (w *world) record(user int, action core.Action, author int, posts ...core.ID) {
	w.t.Helper()
	if action == core.ActionHide || action == core.ActionNotInterested || action == core.ActionUnhide {
		w.feed.Hide(context.Background(), core.ID(user),
			hiddenPosts(w.clock.Now(), action == core.ActionUnhide, posts...))
	}
	at := w.clock.Now()
	w.consume(func() { w.apply(user, action, author, at, posts...) })
}

func (w *world) apply(user int, action core.Action, author int, at time.Time, posts ...core.ID) {
	w.t.Helper()
	effect := 1
	if action == core.ActionUnhide {
		effect = -1
	}
	for _, p := range posts {
		w.ch("INSERT INTO events (kafka_partition, user_id, event_id, post_id, author_id, action, effect, occurred_at, received_at, epoch, kafka_offset, fence, token) "+
			"VALUES (0, %d, generateUUIDv4(), %d, %d, '%s', %d, %d, %d, 0, %d, 1, 7)", user, p, author, action, effect,
			at.UnixMilli(), at.UnixMilli(), w.next())
	}
	w.observe(user, action, author, at, posts...)
}

func (w *world) sql(statement string, args ...any) {
	w.t.Helper()
	_, err := w.Postgres.Exec(context.Background(), statement, args...)
	require.NoError(w.t, err)
}

func (w *world) ch(statement string, args ...any) {
	w.t.Helper()
	body := fmt.Sprintf(statement, args...)
	require.NoError(w.t, w.ClickHouse.Write(context.Background(),
		clickhouse.Query{Name: "test", Query: ch.Query{Body: body}}), body)
}

func (w *world) next() int { w.version++; return w.version }

// post makes a post of some age, and the feed hears of it.
func (w *world) post(id, author int, age time.Duration) core.ID {
	w.t.Helper()
	created := w.clock.Now().Add(-age).Truncate(time.Microsecond)
	w.sql("INSERT INTO posts (id, author_id, created_at) VALUES ($1, $2, $3)", id, author, created)
	w.ch("INSERT INTO posts (id, author_id, created_at, version) VALUES (%d, %d, fromUnixTimestamp64Micro(%d, 'UTC'), %d)", id, author, created.UnixMicro(), w.next())
	w.hot.Apply([]core.Change{{
		Kind: core.PostPut,
		Post: core.Post{ID: core.ID(id), AuthorID: core.ID(author), CreatedAt: created},
	}})
	return core.ID(id)
}

// withAudiences gives the app a column of audiences, and starts the feed anew with it.
func (w *world) withAudiences() {
	w.t.Helper()
	w.sql("ALTER TABLE posts ADD audience smallint NOT NULL DEFAULT 0, ADD group_id bigint")
	w.sql("CREATE TABLE members (user_id bigint, group_id bigint, PRIMARY KEY (user_id, group_id))")
	w.tables.Posts.Group = "group_id"
	w.tables.Members = graph.EdgeTable{Table: "members", From: "user_id", To: "group_id"}
	w.tables.Posts.Audience, w.tables.Posts.Mutuals = `"posts"."audience"`, true
	w.start()
}

// withOptOut gives the app a column of who is not to be recommended, and starts the feed anew with it.
func (w *world) withOptOut() {
	w.t.Helper()
	w.sql("ALTER TABLE users ADD no_discovery boolean NOT NULL DEFAULT false")
	w.tables.Users.NoDiscovery = `"users"."no_discovery"`
	w.start()
}

// followOptedOut reads who opted out, as a replica that starts does.
func (w *world) followOptedOut() {
	w.t.Helper()
	if w.tables.Users.NoDiscovery == "" {
		return
	}
	source := func(ctx context.Context, limit int) (people []core.ID, err error) {
		err = w.guards.ClickHouse.Do(ctx, func(ctx context.Context) (err error) {
			people, err = absent.ClickHouseOptedOut(w.ClickHouse)(ctx, limit)
			return err
		})
		return people, err
	}
	app := graph.NewPostgres(w.Postgres, w.tables, w.cfg.MaxEdges, w.names)
	w.optedOut = absent.NewOptedOut(absent.DefaultConfig(), time.Hour, source, app.OptedOut, w.clock,
		prometheus.NewRegistry(), zap.NewNop())
	w.hot.LeaveOut(absent.Sets{OptedOut: w.optedOut.Set})
	set := w.optedOut
	require.NoError(w.t, set.Start(context.Background()))
	w.t.Cleanup(func() { require.NoError(w.t, set.Stop(context.Background())) })
}

// optOut changes whether a user may be recommended, and the feed hears of it.
func (w *world) optOut(user int, is bool) {
	w.t.Helper()
	w.sql("UPDATE users SET no_discovery = $2 WHERE id = $1", user, is)
	version := w.next()
	w.consume(func() {
		w.ch("INSERT INTO users (id, no_discovery, created_at, version) VALUES (%d, %t, 0, %d)", user, is, version)
	})
	for _, author := range w.optedOut.Apply([]core.Change{
		{Kind: core.UserBack, Viewer: core.ID(user), NoDiscovery: is},
	}) {
		w.hot.Return(author)
	}
}

// withUUIDs gives the app UUIDs as keys, and starts the feed anew with them. It has one for each number, and returns by
// which numbers these are known. Whoever writes goes on with numbers: triggers fill the columns of keys.
func (w *world) withUUIDs(of []int) (numbers []int) {
	w.t.Helper()
	if w.names.Texts == nil {
		w.sql("CREATE TABLE keys_of (number bigint PRIMARY KEY, key uuid NOT NULL)")
		keyed := map[*string]string{
			&w.tables.Users.ID: "users", &w.tables.Posts.ID: "posts", &w.tables.Posts.Author: "posts",
			&w.tables.Posts.Group: "posts",
		}
		for _, t := range []*graph.EdgeTable{
			&w.tables.Follows, &w.tables.Blocks, &w.tables.Mutes, &w.tables.Members, &w.tables.Hides,
		} {
			keyed[&t.From], keyed[&t.To] = t.Table, t.Table
		}
		for column, table := range keyed {
			w.sql(fmt.Sprintf(`ALTER TABLE %[1]s ADD %[2]s_key uuid;
				CREATE FUNCTION key_of_%[1]s_%[2]s() RETURNS trigger LANGUAGE plpgsql AS
				$$ BEGIN NEW.%[2]s_key := (SELECT key FROM keys_of WHERE number = NEW.%[2]s); RETURN NEW; END $$;
				CREATE TRIGGER key_of_%[2]s BEFORE INSERT OR UPDATE ON %[1]s
				FOR EACH ROW EXECUTE FUNCTION key_of_%[1]s_%[2]s()`, table, *column))
			*column += "_key"
		}
		w.tables.Keys = core.KeyForms{Users: core.UUIDKeys, Posts: core.UUIDKeys, Groups: core.UUIDKeys}
		texts := map[core.ID]string{}
		w.names = graph.Names{
			Texts: func(context.Context, []core.ID) (map[core.ID]string, error) { return texts, nil },
			Learn: core.ParseID,
		}
	}
	texts, err := w.names.Texts(context.Background(), nil)
	require.NoError(w.t, err)
	for _, n := range of {
		text := uuid.NewSHA1(uuid.NameSpaceOID, []byte(strconv.Itoa(n))).String()
		id, err := core.ParseID(text)
		require.NoError(w.t, err)
		texts[id], numbers = text, append(numbers, int(id))
		w.sql("INSERT INTO keys_of (number, key) VALUES ($1, $2)", int64(id), text)
	}
	w.start()
	return numbers
}

// withHides gives the app a table of what people hid, and starts the feed anew with it.
func (w *world) withHides() {
	w.t.Helper()
	w.sql("CREATE TABLE app_hides (who bigint, what bigint, PRIMARY KEY (who, what))")
	w.tables.Hides = graph.EdgeTable{Table: "app_hides", From: "who", To: "what"}
	w.start()
}

// setAudience changes who may see a post, if it is there, and the feed hears of it.
func (w *world) setAudience(id int, audience core.Audience) {
	w.t.Helper()
	w.setGroup(id, audience, 0)
}

// setGroup does so, and puts the post into a group.
func (w *world) setGroup(id int, audience core.Audience, group int) {
	w.t.Helper()
	w.sql("UPDATE posts SET audience = $2, group_id = $3 WHERE id = $1", id, int(audience), group)
	w.changedPost(id)
}

// changedPost has the consumers and the feed hear what a post is now, if it is there.
func (w *world) changedPost(id int) {
	w.t.Helper()
	var row struct {
		Author   int64     `json:"author_id"`
		Created  time.Time `json:"created_at"`
		Audience int       `json:"audience"`
		Group    int64     `json:"group_id"`
		Labels   []string  `json:"labels"`
	}
	var text []byte
	err := w.Postgres.QueryRow(context.Background(), "SELECT to_jsonb(posts) FROM posts WHERE id = $1", id).Scan(&text)
	if errors.Is(err, pgx.ErrNoRows) {
		return
	}
	require.NoError(w.t, err)
	require.NoError(w.t, json.Unmarshal(text, &row))
	labels := core.LabelIDs(row.Labels)
	w.ch("INSERT INTO posts (id, author_id, created_at, audience, group_id, labels, version) VALUES (%d, %d, fromUnixTimestamp64Micro(%d, 'UTC'), %d, %d, [%s], %d)",
		id, row.Author, row.Created.UnixMicro(), row.Audience, row.Group,
		strings.Trim(strings.Join(strings.Fields(fmt.Sprint(labels)), ","), "[]"), w.next())
	w.hot.Apply([]core.Change{{Kind: core.PostPut, Post: core.Post{
		ID: core.ID(id), AuthorID: core.ID(row.Author), CreatedAt: row.Created, Audience: core.Audience(row.Audience),
		Group: core.ID(row.Group), Labels: core.LabelsOf(labels...),
	}}})
}

// createdAt is when a post was made, by the app's database; zero: there is none.
func (w *world) createdAt(post core.ID) (at time.Time) {
	w.t.Helper()
	err := w.Postgres.QueryRow(context.Background(), "SELECT created_at FROM posts WHERE id = $1", int64(post)).Scan(&at)
	if !errors.Is(err, pgx.ErrNoRows) {
		require.NoError(w.t, err)
	}
	return at
}

// redate gives a post another time, and the feed hears of it.
func (w *world) redate(post core.ID, author int, at time.Time) {
	w.t.Helper()
	at = at.Truncate(time.Microsecond)
	w.sql("UPDATE posts SET created_at = $2 WHERE id = $1", int64(post), at)
	w.ch("INSERT INTO posts (id, author_id, created_at, version) VALUES (%d, %d, fromUnixTimestamp64Micro(%d, 'UTC'), %d)",
		post, author, at.UnixMicro(), w.next())
	w.hot.Apply([]core.Change{{
		Kind: core.PostPut,
		Post: core.Post{ID: post, AuthorID: core.ID(author), CreatedAt: at},
	}})
}

func (w *world) deletePost(id int) {
	w.t.Helper()
	w.sql("DELETE FROM posts WHERE id = $1", id)
	w.ch("INSERT INTO posts (id, created_at, version, is_deleted) VALUES (%d, 0, %d, 1)", id, w.next())
	w.hot.Apply([]core.Change{{Kind: core.PostDeleted, Post: core.Post{ID: core.ID(id)}}})
}

func (w *world) edge(kind string, viewer, other, gone int) {
	w.t.Helper()
	w.edgeUntil(kind, viewer, other, gone, time.Unix(0, 0))
}

// edgeUntil writes an edge that ends by itself.
func (w *world) edgeUntil(kind string, viewer, other, gone int, until time.Time) {
	w.t.Helper()
	version := w.next()
	w.consume(func() {
		w.ch("INSERT INTO viewer_edges (viewer_id, kind, other_id, row_key, created_at, until, version, is_deleted) VALUES (%d, '%s', %d, '%d/%d', now64(6), fromUnixTimestamp64Micro(%d, 'UTC'), %d, %d)",
			viewer, kind, other, viewer, other, until.UnixMicro(), version, gone)
	})
}

func (w *world) changed(kind core.ChangeKind, viewer, other int) {
	w.t.Helper()
	w.changedUntil(kind, viewer, other, time.Time{})
}

func (w *world) changedUntil(kind core.ChangeKind, viewer, other int, until time.Time) {
	w.t.Helper()
	change := core.Change{Kind: kind, Viewer: core.ID(viewer), Other: core.ID(other), Until: until}
	heardOf := change // by the tail, from Kafka
	heardOf.Row = rowOf(kind, viewer, other)
	if w.ownKeys && (kind == core.Unfollowed || kind == core.Unblocked || kind == core.Unmuted ||
		kind == core.LeftGroup || kind == core.UnhidPost) {
		heardOf.Viewer, heardOf.Other = 0, 0
	}
	w.recentEdges.Apply([]core.Change{heardOf})
	w.consume(func() { require.NoError(w.t, w.signals.Changed(context.Background(), []core.Change{change})) })
}

// rowOf names the row that an edge comes from.
func rowOf(kind core.ChangeKind, viewer, other int) string {
	table := map[core.ChangeKind]string{
		core.Followed: "follow", core.Unfollowed: "follow", core.Blocked: "block", core.Unblocked: "block",
		core.Muted: "mute", core.Unmuted: "mute", core.JoinedGroup: "member", core.LeftGroup: "member",
		core.HidPost: "hide", core.UnhidPost: "hide",
	}[kind]
	return fmt.Sprintf("%s %d/%d", table, viewer, other)
}

func (w *world) follow(viewer int, others ...int) {
	w.t.Helper()
	for _, other := range others {
		w.sql("INSERT INTO follows (follower_id, followee_id) VALUES ($1, $2)", viewer, other)
		w.edge("follow", viewer, other, 0)
		w.changed(core.Followed, viewer, other)
	}
}

func (w *world) unfollow(viewer, other int) {
	w.t.Helper()
	w.sql("DELETE FROM follows WHERE follower_id = $1 AND followee_id = $2", viewer, other)
	w.edge("follow", viewer, other, 1)
	w.changed(core.Unfollowed, viewer, other)
}

func (w *world) join(viewer, group int) {
	w.t.Helper()
	w.sql("INSERT INTO members (user_id, group_id) VALUES ($1, $2)", viewer, group)
	w.edge("member", viewer, group, 0)
	w.changed(core.JoinedGroup, viewer, group)
}

func (w *world) leave(viewer, group int) {
	w.t.Helper()
	w.sql("DELETE FROM members WHERE user_id = $1 AND group_id = $2", viewer, group)
	w.edge("member", viewer, group, 1)
	w.changed(core.LeftGroup, viewer, group)
}

// hide hides a post in the app's own table.
func (w *world) hide(viewer, post int) {
	w.t.Helper()
	w.sql("INSERT INTO app_hides (who, what) VALUES ($1, $2)", viewer, post)
	w.edge("hide", viewer, post, 0)
	w.changed(core.HidPost, viewer, post)
}

func (w *world) unhide(viewer, post int) {
	w.t.Helper()
	w.sql("DELETE FROM app_hides WHERE who = $1 AND what = $2", viewer, post)
	w.edge("hide", viewer, post, 1)
	w.changed(core.UnhidPost, viewer, post)
}

func (w *world) block(viewer, other int) {
	w.t.Helper()
	w.sql("INSERT INTO blocks (blocker_id, blocked_id) VALUES ($1, $2)", viewer, other)
	w.edge("block", viewer, other, 0)
	w.edge("blocked_by", other, viewer, 0)
	w.changed(core.Blocked, viewer, other)
}

func (w *world) unblock(viewer, other int) {
	w.t.Helper()
	w.sql("DELETE FROM blocks WHERE blocker_id = $1 AND blocked_id = $2", viewer, other)
	w.edge("block", viewer, other, 1)
	w.edge("blocked_by", other, viewer, 1)
	w.changed(core.Unblocked, viewer, other)
}

func (w *world) mute(viewer, other int) {
	w.t.Helper()
	w.sql("INSERT INTO mutes (muter_id, muted_id) VALUES ($1, $2)", viewer, other)
	w.edge("mute", viewer, other, 0)
	w.changed(core.Muted, viewer, other)
}

// withEnds gives the app a column for when a mute ends, and starts the feed anew with it.
func (w *world) withEnds() {
	w.t.Helper()
	w.sql("ALTER TABLE mutes ADD until timestamptz; ALTER TABLE blocks ADD until timestamptz")
	// The app's database has no other clock than the machine's: what the test says that time is stands in a table.
	w.sql("CREATE TABLE test_clock (now timestamptz); INSERT INTO test_clock VALUES (now())")
	w.tables.Mutes.When = `coalesce("mutes"."until" > (SELECT now FROM test_clock), true)`
	w.tables.Blocks.When = `coalesce("blocks"."until" > (SELECT now FROM test_clock), true)`
	w.start()
}

// pass lets time pass, for the app's database too.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	w.clock.advance(d)
	w.sql("UPDATE test_clock SET now = $1", w.clock.Now())
	require.NoError(w.t, w.hot.Refresh(w.t.Context(), true)) // else it is too old
}

func (w *world) muteUntil(viewer, other int, until time.Time) {
	w.t.Helper()
	w.sql("INSERT INTO mutes (muter_id, muted_id, until) VALUES ($1, $2, $3)", viewer, other, until)
	w.edgeUntil("mute", viewer, other, 0, until)
	w.changedUntil(core.Muted, viewer, other, until)
}

func (w *world) blockUntil(viewer, other int, until time.Time) {
	w.t.Helper()
	w.sql("INSERT INTO blocks (blocker_id, blocked_id, until) VALUES ($1, $2, $3)", viewer, other, until)
	w.edgeUntil("block", viewer, other, 0, until)
	w.edgeUntil("blocked_by", other, viewer, 0, until)
	w.changedUntil(core.Blocked, viewer, other, until)
}

func (w *world) unmute(viewer, other int) {
	w.t.Helper()
	w.sql("DELETE FROM mutes WHERE muter_id = $1 AND muted_id = $2", viewer, other)
	w.edge("mute", viewer, other, 1)
	w.changed(core.Unmuted, viewer, other)
}

// engage adds to a post's counters of this hour.
func (w *world) engage(post, author, exposures, likes int) {
	w.t.Helper()
	w.ch("INSERT INTO post_metrics_1h (hour, post_id, kafka_partition, author_id, exposures, likes) VALUES (%d, %d, 0, %d, %d, %d)",
		w.clock.Now().Truncate(time.Hour).Unix(), post, author, exposures, likes)
}

// interact adds to what a user did with an author's posts.
func (w *world) interact(user, author, likes int) {
	w.t.Helper()
	w.ch("INSERT INTO user_author_90d (user_id, author_id, day, kafka_partition, likes) VALUES (%d, %d, today(), 0, %d)", user, author, likes)
}

func (w *world) event(user int, action core.Action, posts ...core.ID) {
	w.t.Helper()
	w.observe(user, action, 0, w.clock.Now(), posts...)
}

func (w *world) observe(user int, action core.Action, author int, at time.Time, posts ...core.ID) {
	w.t.Helper()
	events := make([]core.Event, len(posts))
	for i, p := range posts {
		events[i] = core.Event{
			UserID: core.ID(user), PostID: p, AuthorID: core.ID(author), Action: action,
			OccurredAt: at, ReceivedAt: at,
		}
	}
	require.NoError(w.t, w.signals.Observe(context.Background(), events))
}

func hiddenPosts(at time.Time, back bool, posts ...core.ID) (hidden []core.HiddenPost) {
	for _, post := range posts {
		hidden = append(hidden, core.HiddenPost{Post: post, At: at, Back: back})
	}
	return hidden
}
