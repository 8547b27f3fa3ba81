// Package tail tells of the app's changes as soon as Kafka has them, in every replica that runs one: of posts, of users
// who go and come back, and of whom people follow, block and mute. It writes nothing and keeps no offsets.
package tail

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/envelope"
	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Tail tells of changes as soon as Kafka has them, in every replica that runs one. It keeps no offsets:
// it begins at a moment, a little before which its listener has loaded what was there.
type Tail struct {
	sources  map[string][]*mapping.Source // by topic
	changeOf func(*Tail, *mapping.Source, envelope.Record) (core.Change, bool, error)
	hear     func(core.Key) error // nil: all keys are integers
	tail     *kafka.Tail
	notify   func([]core.Change)
	log      *zap.Logger

	mu      sync.Mutex
	leaders map[partition]envelope.Leader
}

// partition names a partition of one of the topics.
type partition struct {
	topic string
	id    int32
}

// Posts makes a reader of the changes of posts since a moment. notify is called for one partition's
// changes in their order, from several goroutines at once, with one change a call; it must not block
// for long. After a connector's restart older changes may come again, followed by the newer ones.
func Posts(m *mapping.Mapping, k kafka.Config, since time.Time, notify func([]core.Change), log *zap.Logger) *Tail {
	return newTail(m, k, since, notify, log, postChanged, mapping.Post)
}

// Edges makes a reader of the changes of whom people follow, block and mute, and of which groups they are members. Of
// an edge that is gone the row is known, and between whom it was where the key says so. What snapshots read is left
// out: it is old.
func Edges(m *mapping.Mapping, k kafka.Config, since time.Time, notify func([]core.Change), log *zap.Logger) *Tail {
	return newTail(m, k, since, notify, log, edgeChanged, mapping.Follow, mapping.Block, mapping.Mute,
		mapping.Member, mapping.Hide)
}

// Users makes a reader of which users are gone or hidden, and which are not: of every change of theirs.
func Users(m *mapping.Mapping, k kafka.Config, since time.Time, notify func([]core.Change), log *zap.Logger) *Tail {
	return newTail(m, k, since, notify, log, userChanged, mapping.User)
}

func newTail(m *mapping.Mapping, k kafka.Config, since time.Time, notify func([]core.Change), log *zap.Logger,
	changeOf func(*Tail, *mapping.Source, envelope.Record) (core.Change, bool, error), kinds ...mapping.Kind,
) *Tail {
	t := &Tail{
		sources: map[string][]*mapping.Source{}, changeOf: changeOf, notify: notify, log: log.Named("cdc.tail"),
		leaders: map[partition]envelope.Leader{},
	}
	var topics []string
	for _, kind := range kinds {
		source := m.Of(kind)
		if source == nil {
			continue // not mapped
		}
		topic := m.Topic(source.Table)
		if t.sources[topic] == nil {
			topics = append(topics, topic)
		}
		t.sources[topic] = append(t.sources[topic], source)
	}
	t.tail = kafka.NewTail(k, topics, since, t.handle, t.log)
	return t
}

// Hearing has keys remembered that are no integers. A record with one that hear refuses is left out.
func (t *Tail) Hearing(hear func(core.Key) error) *Tail {
	t.hear = hear
	return t
}

// row maps a record, and has its keys heard.
func (t *Tail) row(source *mapping.Source, record envelope.Record) (mapping.Row, error) {
	row, err := source.Row(record)
	return row, errors.Join(err, t.heard(row))
}

func (t *Tail) heard(row mapping.Row) error {
	if t.hear == nil {
		return nil
	}
	for _, key := range row.Keys {
		if err := t.hear(key); err != nil {
			return err
		}
	}
	return nil
}

// Run reads until ctx ends.
func (t *Tail) Run(ctx context.Context) error { return t.tail.Run(ctx) }

// handle notifies of what a record means; the consumer dead-letters what cannot be read.
func (t *Tail) handle(m *sarama.ConsumerMessage) {
	record, err := envelope.Decode(m.Key, m.Value)
	if err != nil {
		t.log.Debug("record not read", append(place(m), zap.Error(envelope.WithoutValue(err)))...)
		return
	}
	if kafka.HasHeader(m, envelope.HeaderRepair) { // whether it counts, only the consumer knows
		for _, source := range t.sources[m.Topic] {
			if change, ok, err := t.unclear(source, record); ok && err == nil {
				t.notify([]core.Change{change})
			}
		}
		return
	}
	switch {
	case record.Tombstone, record.Op == envelope.Message, t.late(m, record.Source):
		return
	case record.Op == envelope.Truncate:
		kind := core.TableCleared
		if record.Source.Snapshot != envelope.Streaming {
			kind = core.TableReread
		}
		t.notify([]core.Change{{Kind: kind, CommittedAt: record.Source.CommittedAt}})
		return
	}
	for _, source := range t.sources[m.Topic] {
		change, ok, err := t.changeOf(t, source, record)
		if source.Kind.Layout().ByID && (source.Wide(record.Key) ||
			envelope.ReasonOf(err) == envelope.ReasonUnavailable) {
			if source.Kind == mapping.User && ok && err == nil { // most likely it is so
				t.notify([]core.Change{change})
			}
			change, ok, err = t.unclear(source, record) // the consumer asks PostgreSQL
		}
		if err != nil {
			t.log.Debug("row not read", append(place(m), zap.Error(envelope.WithoutValue(err)))...)
		} else if ok {
			t.notify([]core.Change{change})
		}
	}
}

// place says in the log where a record stands.
func place(m *sarama.ConsumerMessage) []zap.Field {
	return []zap.Field{zap.String("topic", m.Topic), zap.Int32("partition", m.Partition), zap.Int64("offset", m.Offset)}
}

// late tells whether a leader that had been replaced wrote the record.
func (t *Tail) late(m *sarama.ConsumerMessage, s envelope.Source) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := partition{m.Topic, m.Partition}
	l := t.leaders[at]
	if l.Late(s) {
		return true
	}
	l.Advance(s)
	t.leaders[at] = l
	return false
}

func postChanged(t *Tail, source *mapping.Source, record envelope.Record) (core.Change, bool, error) {
	row, err := t.row(source, record)
	return mapping.PostChange(row, record.Source.CommittedAt), true, err
}

func userChanged(t *Tail, source *mapping.Source, record envelope.Record) (core.Change, bool, error) {
	row, err := t.row(source, record)
	return mapping.UserChange(row, record.Source.CommittedAt), true, err
}

// unclear tells that a post or a user may have changed.
func (t *Tail) unclear(source *mapping.Source, record envelope.Record) (change core.Change, ok bool, err error) {
	row, err := source.Deleted(record.Key)
	err = errors.Join(err, t.heard(row))
	switch source.Kind {
	case mapping.Post:
		change = core.Change{Kind: core.PostUnclear, Post: core.Post{ID: core.ID(row.ID)}}
	case mapping.User:
		change = core.Change{Kind: core.UserUnclear, Viewer: core.ID(row.ID)}
	case mapping.Follow, mapping.Comment, mapping.Like, mapping.Block, mapping.Mute, mapping.Member, mapping.Hide,
		mapping.Group:
		return core.Change{}, false, nil
	}
	change.CommittedAt = record.Source.CommittedAt
	return change, true, err
}

func edgeChanged(t *Tail, source *mapping.Source, record envelope.Record) (core.Change, bool, error) {
	if record.Source.Snapshot != envelope.Streaming {
		return core.Change{}, false, nil
	}
	row, err := t.row(source, record)
	if err != nil {
		return core.Change{}, false, err
	}
	if row.Gone {
		row.First, row.Other = source.Pair(record.Key)
	}
	near := mapping.Edge{Viewer: row.First, Kind: source.Kind.EdgeKinds()[0], Other: row.Other}
	change, ok := mapping.EdgeChange(near, row.Gone)
	change.Row, change.CommittedAt = source.Kind.String()+" "+row.Key, record.Source.CommittedAt
	change.Until = row.Until
	return change, ok && (row.Gone || change.Viewer.Valid() && change.Other.Valid()), nil
}
