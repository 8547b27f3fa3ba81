package ingest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/platform/kafka"
	"github.com/feedrank/feedrank/test/wait"
)

func TestHidesAreReadFromTheLogItself(t *testing.T) {
	t.Parallel()
	w := newLog(t)
	s, cfg := w.Stack, w.cfg
	producer := kafka.NewProducer(s.KafkaConfig)
	defer func() { require.NoError(t, producer.Close()) }()
	topic, now := s.KafkaConfig.Topic(cfg.Topic), time.Now()
	var messages []*sarama.ProducerMessage
	for user := range core.ID(20) {
		for _, action := range []core.Action{
			core.ActionHide, core.ActionNotInterested, core.ActionUnhide,
			core.ActionLike,
		} {
			e := codec.Event{
				User: user + 1, Post: core.ID(action), Author: 5, ID: core.EventID(uuid.New()),
				Action: action, Occurred: now.UnixMilli(), Received: now.UnixMilli(),
			}
			messages = append(messages, codec.Encode(topic, &e))
		}
	}
	messages = append(messages, &sarama.ProducerMessage{
		Topic: topic, Key: sarama.StringEncoder("1"),
		Value: sarama.StringEncoder(`{"action":"hide"`),
	})
	require.NoError(t, producer.Send(t.Context(), messages...))

	var mu sync.Mutex
	heard := map[string]int{}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- NewHideTail(cfg.Log, s.KafkaConfig, now.Add(-time.Minute),
			func(user core.ID, hidden []core.HiddenPost) {
				mu.Lock()
				defer mu.Unlock()
				require.Len(t, hidden, 1)
				heard[fmt.Sprint(user, hidden[0].Post, hidden[0].At.Equal(now.Truncate(time.Millisecond)),
					hidden[0].Back)]++
			}, nil, zap.NewNop()).Run(ctx)
	}()
	wait.Until(t, func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(heard) == 60
	})
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
	for user := range core.ID(20) {
		for _, action := range []core.Action{core.ActionHide, core.ActionNotInterested} {
			require.Equal(t, 1, heard[fmt.Sprint(user+1, core.ID(action), true, false)])
		}
		require.Equal(t, 1, heard[fmt.Sprint(user+1, core.ID(core.ActionUnhide), true, true)])
	}
}
