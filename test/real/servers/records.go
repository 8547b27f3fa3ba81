//go:build linux

package servers

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

// Record is a record as it lies in Kafka. Without a key or a value the field is nil: a tombstone is a
// record without a value.
type Record struct {
	Topic     string          `json:"topic"`
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Key       json.RawMessage `json:"key,omitempty"`
	Value     json.RawMessage `json:"value,omitempty"`
	Headers   []Header        `json:"headers,omitempty"`
}

// Header is a header of a Record. Some of Debezium's are JSON, some plain text.
type Header struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Records reads topics from their beginning until there are enough, and returns what was read, topic
// by topic in the order of the log. A topic that does not exist yet is waited for.
func (s *Stack) Records(ctx context.Context, topics []string, enough func([]Record) bool) ([]Record, error) {
	var mu sync.Mutex
	var all []Record
	full := make(chan struct{})
	var once sync.Once
	handle := func(m *sarama.ConsumerMessage) {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, recordOf(m))
		if enough(all) {
			once.Do(func() { close(full) })
		}
	}
	reading, stop := context.WithCancel(ctx)
	defer stop()
	tail := kafka.NewTail(s.KafkaConfig, topics, time.UnixMilli(0), handle, zap.NewNop())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = tail.Run(reading) // ends with its context only
	}()
	var err error
	select {
	case <-full:
	case <-ctx.Done():
		err = fmt.Errorf("records of %s: %w", strings.Join(topics, ", "), context.Cause(ctx))
	}
	stop()
	<-ended
	slices.SortStableFunc(all, func(a, b Record) int {
		return cmp.Or(strings.Compare(a.Topic, b.Topic), cmp.Compare(a.Partition, b.Partition),
			cmp.Compare(a.Offset, b.Offset))
	})
	return all, err
}

func recordOf(m *sarama.ConsumerMessage) Record {
	r := Record{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Key: m.Key, Value: m.Value}
	for _, h := range m.Headers {
		r.Headers = append(r.Headers, Header{Key: string(h.Key), Value: string(h.Value)})
	}
	return r
}

// Await returns when the connector has passed everything that is committed now. It writes messages
// into PostgreSQL's log, which the connector hands on as records of <prefix>.message, until one of
// them has arrived: what is written before there is a slot never does.
func (c *Connector) Await(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	mark := "await-" + time.Now().Format(time.RFC3339Nano)
	failed := make(chan error, 1)
	go func() {
		err := c.mark(ctx, mark)
		failed <- err
		cancel()
	}()
	_, err := c.stack.Records(ctx, []string{c.config.TopicPrefix + ".message"}, func(all []Record) bool {
		return strings.Contains(string(all[len(all)-1].Value), `"prefix":"`+mark+`"`)
	})
	cancel()
	if marked := <-failed; err != nil && !errors.Is(marked, context.Canceled) {
		err = errors.Join(err, marked)
	}
	if err != nil {
		status, statusErr := c.Status(context.WithoutCancel(ctx))
		return errors.Join(fmt.Errorf("await connector %s: %w: %s", c.config.Name, err, status), statusErr)
	}
	return nil
}

// mark emits a message now and then until ctx ends.
func (c *Connector) mark(ctx context.Context, mark string) (err error) {
	conn, err := pgx.Connect(ctx, c.config.DSN)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	again := time.NewTicker(time.Second)
	defer again.Stop()
	for {
		if _, err := conn.Exec(ctx, "SELECT pg_logical_emit_message(true, $1, '')", mark); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}
