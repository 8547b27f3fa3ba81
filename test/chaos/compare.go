package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
	"github.com/IBM/sarama"
)

// verdict is what the comparison found.
type verdict struct {
	Lost       int `json:"lost"`        // events, offsets and whole records that should be there
	Absent     int `json:"absent"`      // of these, events without a row
	Double     int `json:"double"`      // rows and offsets that should not, or stand twice
	ViewsWrong int `json:"views_wrong"` // buckets of both views
	DLQWrong   int `json:"dlq_wrong"`   // letters missing, wrong, or of records that are sound

	Examples []string `json:"examples,omitempty"` // of what is wrong in the views
}

func (v *verdict) clean() bool { return v.Lost+v.Absent+v.Double+v.ViewsWrong+v.DLQWrong == 0 }

// mostExamples bounds them.
const mostExamples = 40

func (v *verdict) example(format string, args ...any) {
	if len(v.Examples) < mostExamples {
		v.Examples = append(v.Examples, fmt.Sprintf(format, args...))
	}
}

// tables reads ClickHouse on a connection of its own.
type tables struct{ client *ch.Client }

func (t tables) read(ctx context.Context, query string, results proto.Results, each func(rows int)) error {
	return t.client.Do(ctx, ch.Query{
		Body: query, Result: results,
		OnResult: func(_ context.Context, b proto.Block) error {
			each(b.Rows)
			return nil
		},
	})
}

// compareRows holds every row of the raw table against the log.
func (t *truth) compareRows(ctx context.Context, db tables, v *verdict) error {
	var partition proto.ColUInt16
	var offset, user, post, author, occurred proto.ColInt64
	var id proto.ColUUID
	var action, effect proto.ColInt8
	var dwell proto.ColUInt32
	var decided proto.ColStr
	err := db.read(ctx, `SELECT kafka_partition, kafka_offset, user_id, event_id, post_id, author_id, toInt8(action) AS action_number,
		effect, toString(verdict) AS decided, toUnixTimestamp64Milli(occurred_at) AS occurred, dwell_ms FROM events`, proto.Results{
		{Name: "kafka_partition", Data: &partition},
		{Name: "kafka_offset", Data: &offset},
		{Name: "user_id", Data: &user},
		{Name: "event_id", Data: &id},
		{Name: "post_id", Data: &post},
		{Name: "author_id", Data: &author},
		{Name: "action_number", Data: &action},
		{Name: "effect", Data: &effect},
		{Name: "decided", Data: &decided},
		{Name: "occurred", Data: &occurred},
		{Name: "dwell_ms", Data: &dwell},
	}, func(rows int) {
		for i := range rows {
			p, at := int(partition[i]), int(offset[i])
			if p >= len(t.log) || at >= len(t.log[p]) || t.log[p][at].fate != isRow || t.log[p][at].seen {
				v.Double++
				continue
			}
			r := t.stream.records[t.log[p][at].number]
			want := t.stream.events[r.event]
			got := event{
				id: id[i], user: t.stream.userOf(user[i]), post: t.stream.postOf(post[i]),
				author: t.stream.userOf(author[i]), occurred: occurred[i] - int64(r.shift),
				dwell: dwell[i], action: uint8(action[i] - 1),
			}
			if got.author == 0 && late(got.post) { // it came before its post
				got.author = want.author
			}
			if got == want { // else it stays unseen, and counts as lost
				t.log[p][at].seen = true
			}
			// An own reaction that was ahead of its post has an effect, and the views leave it out.
			ahead := decided.Row(i) == "unresolved" && want.user == want.author
			if adds := t.log[p][at].effect; adds != effect[i] && !ahead {
				v.example("partition %d offset %d: %s of %d on post %d of %d at %d adds %d (%s), and should add %d", p, at,
					actions()[want.action], want.user, want.post, want.author, occurred[i], effect[i],
					decided.Row(i), adds)
			}
		}
	})
	for _, log := range t.log {
		for _, e := range log {
			if e.fate == isRow && !e.seen {
				v.Lost++
				v.Absent++
			}
		}
	}
	return err
}

// compareRanges holds the coverage against the log: each range must tell what became of its records.
// It returns when each record was applied, after it was produced.
func (t *truth) compareRanges(ctx context.Context, db tables, v *verdict) (ages []time.Duration, err error) {
	var partition proto.ColUInt16
	var first, last, applied proto.ColInt64
	var rows, copies, letters, others proto.ColUInt64
	next := make([]int64, len(t.log))
	err = db.read(ctx, `SELECT kafka_partition, first_offset, last_offset, rows, duplicates, dead_letters, missing + lost AS others,
		toUnixTimestamp64Milli(applied_at) AS applied FROM event_ranges ORDER BY kafka_partition, first_offset, last_offset`, proto.Results{
		{Name: "kafka_partition", Data: &partition},
		{Name: "first_offset", Data: &first},
		{Name: "last_offset", Data: &last},
		{Name: "rows", Data: &rows},
		{Name: "duplicates", Data: &copies},
		{Name: "dead_letters", Data: &letters},
		{Name: "others", Data: &others},
		{Name: "applied", Data: &applied},
	}, func(n int) {
		for i := range n {
			p, from, to := partition[i], first[i], last[i]
			v.Lost += int(max(0, from-next[p]))
			v.Double += int(max(0, next[p]-from))
			next[p] = max(next[p], to+1)
			want := map[byte]uint64{}
			for _, e := range t.log[p][min(from, int64(len(t.log[p]))):min(to+1, int64(len(t.log[p])))] {
				want[e.fate]++
				if int(e.number) >= t.cold {
					ages = append(ages, time.UnixMilli(applied[i]).Sub(e.at))
				}
			}
			if want[isRow] != rows[i] || want[isCopy] != copies[i] || want[isLetter] != letters[i] || others[i] != 0 {
				v.Lost++
			}
		}
	})
	for p, log := range t.log {
		v.Lost += max(0, len(log)-int(next[p]))
	}
	return ages, err
}

// compareViews holds every bucket of both views against a count of the stream.
func (t *truth) compareViews(ctx context.Context, db tables, v *verdict) error {
	var hour, post, author, user proto.ColInt64
	var partition proto.ColUInt16
	var day proto.ColInt32
	var n [7]proto.ColInt64
	var dwell proto.ColStr
	results := proto.Results{
		{Name: "at", Data: &hour},
		{Name: "post_id", Data: &post},
		{Name: "author_id", Data: &author},
		{Name: "kafka_partition", Data: &partition},
		{Name: "histogram", Data: &dwell},
	}
	for i, name := range []string{"exposures", "views", "clicks", "likes", "comments", "shares", "hides"} {
		results = append(results, proto.ResultColumn{Name: "n_" + name, Data: &n[i]})
	}
	err := db.read(ctx, `SELECT toInt64(toUnixTimestamp(hour)) AS at, post_id, author_id, kafka_partition,
		arrayStringConcat(arrayMap((k, c) -> concat(toString(k), ':', toString(c)), mapKeys(filled), mapValues(filled)), ',') AS histogram,
		n_exposures, n_views, n_clicks, n_likes, n_comments, n_shares, n_hides
		FROM (SELECT hour, post_id, author_id, kafka_partition, mapFilter((k, c) -> c != 0, sumMap(dwell)) AS filled,
			sum(exposures) AS n_exposures, sum(views) AS n_views, sum(clicks) AS n_clicks, sum(likes) AS n_likes,
			sum(comments) AS n_comments, sum(shares) AS n_shares, sum(hides) AS n_hides
			FROM post_metrics_1h GROUP BY hour, post_id, author_id, kafka_partition)`, results, func(rows int) {
		for i := range rows {
			b := postBucket{
				hour: hour[i], post: t.stream.postOf(post[i]), author: t.stream.userOf(author[i]),
				partition: partition[i],
			}
			got := postCounts{dwell: dwell.Row(i)}
			for k := range got.n {
				got.n[k] = n[k][i]
			}
			if got != t.posts[b] {
				v.ViewsWrong++
				v.example("post_metrics_1h has %+v: %+v, and should have %+v", b, got, t.posts[b])
			}
			delete(t.posts, b)
		}
	})
	if err != nil {
		return err
	}
	for b, c := range t.posts {
		if c != (postCounts{}) {
			v.ViewsWrong++
			v.example("post_metrics_1h lacks %+v: %+v", b, c)
		}
	}
	results = proto.Results{
		{Name: "user_id", Data: &user},
		{Name: "author_id", Data: &author},
		{Name: "at", Data: &day},
		{Name: "kafka_partition", Data: &partition},
	}
	for i, name := range []string{"views", "clicks", "likes", "comments", "shares", "hides"} {
		results = append(results, proto.ResultColumn{Name: "n_" + name, Data: &n[i]})
	}
	err = db.read(ctx, `SELECT user_id, author_id, toInt32(day) AS at, kafka_partition, sum(views) AS n_views, sum(clicks) AS n_clicks,
		sum(likes) AS n_likes, sum(comments) AS n_comments, sum(shares) AS n_shares, sum(hides) AS n_hides
		FROM user_author_90d GROUP BY user_id, author_id, day, kafka_partition`, results, func(rows int) {
		for i := range rows {
			b := authorBucket{
				user: t.stream.userOf(user[i]), author: t.stream.userOf(author[i]), day: day[i],
				partition: partition[i],
			}
			var got authorCounts
			for k := range got {
				got[k] = n[k][i]
			}
			if got != t.authors[b] {
				v.ViewsWrong++
				v.example("user_author_90d has %+v: %v, and should have %v", b, got, t.authors[b])
			}
			delete(t.authors, b)
		}
	})
	for b, c := range t.authors {
		if c != (authorCounts{}) {
			v.ViewsWrong++
			v.example("user_author_90d lacks %+v: %v", b, c)
		}
	}
	return err
}

// compareLetters holds the dead letters against the poison in the log, by topic, epoch, partition and
// offset. The same letter may have been written twice.
func (t *truth) compareLetters(brokers []string, queue, topic string, v *verdict) error {
	err := readLog(brokers, queue, func(m *sarama.ConsumerMessage) error {
		said := map[string]string{}
		for _, h := range m.Headers {
			said[string(h.Key)] = string(h.Value)
		}
		p, err1 := strconv.Atoi(said["feedrank-dead-partition"])
		at, err2 := strconv.Atoi(said["feedrank-dead-offset"])
		stands := err1 == nil && err2 == nil
		if !stands || said["feedrank-dead-topic"] != topic || said["feedrank-dead-epoch"] != "1" ||
			p >= len(t.log) || at >= len(t.log[p]) || t.log[p][at].fate != isLetter {
			v.DLQWrong++
			return nil
		}
		e := &t.log[p][at]
		_, key, value := t.stream.message(int(e.number), int32(len(t.log)), e.at)
		if said["feedrank-dead-reason"] != t.stream.records[e.number].poison.reason() || !bytes.Equal(m.Key, key) ||
			!bytes.Equal(m.Value, value) {
			v.DLQWrong++
			return nil
		}
		e.seen = true
		return nil
	})
	for _, log := range t.log {
		for _, e := range log {
			if e.fate == isLetter && !e.seen {
				v.DLQWrong++
			}
		}
	}
	return err
}

// compare holds everything that is left against what must be.
func (d *drill) compare(ctx context.Context) (*truth, verdict, []time.Duration, error) {
	v := verdict{}
	t, err := learn(d.stream, d.settings.Kafka.Brokers, d.topic, d.partitions)
	if err != nil {
		return t, v, nil, fmt.Errorf("read the log: %w", err)
	}
	v.Lost += t.missing
	t.cold = int(d.warm.Seconds() * float64(d.rate))
	a := d.servers.Addresses().ClickHouse
	client, err := ch.Dial(ctx, ch.Options{
		Address: a.Addr, User: a.User, Password: a.Password, Database: a.Database,
		ReadTimeout: time.Minute,
	})
	if err != nil {
		return t, v, nil, err
	}
	defer func() { _ = client.Close() }()
	db := tables{client}
	ages, err := t.compareRanges(ctx, db, &v)
	if err != nil {
		return t, v, nil, fmt.Errorf("compare the ranges: %w", err)
	}
	if err := t.compareRows(ctx, db, &v); err != nil {
		return t, v, nil, fmt.Errorf("compare the rows: %w", err)
	}
	if err := t.compareViews(ctx, db, &v); err != nil {
		return t, v, nil, fmt.Errorf("compare the views: %w", err)
	}
	if err := t.compareLetters(d.settings.Kafka.Brokers, d.queue, d.topic, &v); err != nil {
		return t, v, nil, fmt.Errorf("compare the dead letters: %w", err)
	}
	return t, v, ages, nil
}
