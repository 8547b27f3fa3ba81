package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/errgroup"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/worker"
)

// Options say what is imported, and how.
type Options struct {
	Files     []string // Stdin among them at most once
	Format    string   // of all of them; empty: by their names
	Form      codec.RowForm
	Topic     string // the topic's full name
	Into      string // which Kafka: a checkpoint of another is none
	Log       codec.Log
	DryRun    bool
	FromStart bool  // as if there were no checkpoints
	MaxLag    int64 // wait while the consumer has more records before it; 0: never
}

// Deps are what an import works with.
type Deps struct {
	Producer Producer
	Lag      func(context.Context) (int64, error) // records that the consumer has not applied
	Stdin    io.Reader
	Refused  io.Writer                             // refused rows as JSON lines; nil: nowhere
	Progress func(sofar Report, waitingFor string) // called after each batch, and while it waits; nil: nobody looks
	Clock    core.Clock
}

// Producer sends messages and returns once all replicas have acknowledged them.
type Producer interface {
	Send(ctx context.Context, messages ...*sarama.ProducerMessage) error
}

const (
	batchRows = 10_000
	leastWait = 200 * time.Millisecond // before a batch is sent again, or the lag is asked for again
	mostWait  = 10 * time.Second
	lagEvery  = time.Second
)

// Run imports files, one after another. It can be run again: what is imported is not imported twice.
func Run(ctx context.Context, o Options, d Deps) (Report, error) {
	i := &run{Options: o, Deps: d, watch: core.StartStopwatch()}
	i.report = Report{Refused: map[string]int64{}, DryRun: o.DryRun}
	var err error
	for _, name := range o.Files {
		if err = i.file(ctx, name); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
			break
		}
	}
	i.report.Seconds = i.watch.Elapsed().Seconds()
	return i.report, err
}

type run struct {
	Options
	Deps

	report  Report
	watch   core.Stopwatch
	lagged  time.Time // when the lag was asked for last
	pending int64     // rows sent since then
}

// batch is some rows in their order.
type batch struct {
	rows     int64
	messages []*sarama.ProducerMessage
	refused  map[string]int64
	lines    []byte // refused rows, written down
}

// how is what an import does besides the rows: with another the rows may become other events.
func (i *run) how() any {
	return struct {
		Form        codec.RowForm
		Into, Topic string
		Epoch       uint16
		Format      string
	}{i.Form, i.Into, i.Topic, i.Log.Epoch, i.Format}
}

func (i *run) file(ctx context.Context, name string) error {
	format, done := i.Format, checkpoint{Refused: map[string]int64{}}
	var err error
	if format == "" {
		if format, err = formatOf(name); err != nil {
			return err
		}
	}
	switch {
	case name == Stdin || i.DryRun:
	case i.FromStart:
		done, err = newCheckpoint(name, i.how())
	default:
		done, err = readCheckpoint(name, i.how())
	}
	if err != nil {
		return err
	}
	src, err := open(name, format, i.Stdin)
	if err != nil {
		return err
	}
	err = i.through(ctx, name, src, done)
	return errors.Join(err, src.close())
}

// through brings the rows of a file behind its checkpoint into Kafka: one goroutine reads, another sends.
func (i *run) through(ctx context.Context, name string, src source, done checkpoint) error {
	i.report.Rows += done.Rows
	i.report.Earlier += done.Rows
	i.report.Sent += done.Sent
	for reason, n := range done.Refused {
		i.report.Refused[reason] += n
	}
	group, ctx := errgroup.WithContext(ctx)
	batches := make(chan batch, 1)
	group.Go(func() error {
		defer close(batches)
		return i.read(ctx, name, src, done.Rows, batches)
	})
	group.Go(func() error {
		for b := range batches {
			if err := i.send(ctx, b); err != nil {
				return err
			}
			done.Rows += b.rows
			done.Sent += int64(len(b.messages))
			for reason, n := range b.refused {
				done.Refused[reason] += n
				i.report.Refused[reason] += n
			}
			i.report.Rows += b.rows
			i.report.Sent += int64(len(b.messages))
			if name != Stdin && !i.DryRun {
				if err := done.write(name); err != nil {
					return err
				}
			}
			i.show("")
		}
		return nil
	})
	return group.Wait()
}

// read makes batches of the rows behind those that are done.
func (i *run) read(ctx context.Context, name string, src source, done int64, into chan<- batch) error {
	decoder := codec.NewRowDecoder(i.Log, i.Form)
	var scratch []byte
	b, now := batch{refused: map[string]int64{}}, i.Clock.Now().UnixMilli()
	flush := func() error {
		select {
		case into <- b:
			b, now = batch{refused: map[string]int64{}}, i.Clock.Now().UnixMilli()
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	for number := int64(1); ; number++ {
		row, content, err := src.next()
		if errors.Is(err, io.EOF) {
			if b.rows == 0 {
				return nil
			}
			return flush()
		}
		var bad *badRow
		if err != nil && !errors.As(err, &bad) {
			return err
		}
		if number <= done {
			continue
		}
		b.rows++
		var event codec.Event
		rejected := codec.Rejection{Code: "not_a_row"}
		if bad != nil {
			rejected.Reason = bad.reason
		} else {
			event, rejected = decoder.Decode(row, now, func() []byte {
				scratch = numbered(scratch, number, content)
				return scratch
			})
		}
		if rejected.Code == "" {
			b.messages = append(b.messages, codec.Encode(i.Topic, &event))
		} else if err := i.refuse(&b, refusal{
			File: name, Row: number, Field: rejected.Field, Code: rejected.Code, Reason: rejected.Reason,
			Text: string(row),
		}, reason(rejected)); err != nil {
			return err
		}
		if b.rows == batchRows {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// refuse counts a row that is no event, and writes it down.
func (i *run) refuse(b *batch, r refusal, why string) (err error) {
	b.refused[why]++
	if i.Refused != nil {
		b.lines, err = appendRefusal(b.lines, r)
	}
	return err
}

// send brings a batch into Kafka, however long that takes: what is there already is a copy, and counts once.
func (i *run) send(ctx context.Context, b batch) error {
	if len(b.lines) > 0 {
		if _, err := i.Refused.Write(b.lines); err != nil {
			return fmt.Errorf("refused rows: %w", err)
		}
	}
	if i.DryRun || len(b.messages) == 0 {
		return ctx.Err()
	}
	if err := i.giveWay(ctx, int64(len(b.messages))); err != nil {
		return err
	}
	pause := worker.Backoff{Least: leastWait, Most: mostWait}
	for {
		err := i.Producer.Send(ctx, b.messages...)
		if err == nil || ctx.Err() != nil {
			return err
		}
		i.show(err.Error())
		if err := pause.Wait(ctx); err != nil {
			return err
		}
		b = renewed(b)
	}
}

// renewed is a batch whose messages can be sent again: the producer has written into them.
func renewed(b batch) batch {
	messages := make([]*sarama.ProducerMessage, len(b.messages))
	for n, m := range b.messages {
		messages[n] = &sarama.ProducerMessage{
			Topic: m.Topic, Key: m.Key, Value: m.Value, Headers: m.Headers, Timestamp: m.Timestamp,
		}
	}
	b.messages = messages
	return b
}

// giveWay waits until the consumer has fewer records before it than it may.
func (i *run) giveWay(ctx context.Context, rows int64) error {
	i.pending += rows
	if i.MaxLag == 0 || i.Lag == nil || i.pending < i.MaxLag/2 && core.Within(lagEvery, i.lagged, i.Clock.Now()) {
		return nil
	}
	for {
		lag, err := i.Lag(ctx)
		i.lagged, i.pending = i.Clock.Now(), rows
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			i.show(err.Error())
		case lag <= i.MaxLag:
			return nil
		default:
			i.show(fmt.Sprintf("%d records are not applied", lag))
		}
		if err := worker.Pause(ctx, leastWait); err != nil {
			return err
		}
	}
}

func (i *run) show(waitingFor string) {
	if i.Progress == nil {
		return
	}
	sofar := i.report
	sofar.Refused = maps.Clone(sofar.Refused)
	sofar.Seconds = i.watch.Elapsed().Seconds()
	i.Progress(sofar, waitingFor)
}
