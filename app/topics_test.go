package app

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/config"
)

func TestEveryTopicIsDeclaredOnceAndWithOneRetention(t *testing.T) {
	cfg := config.Default()
	specs, err := topics(cfg)
	require.NoError(t, err)
	seen := map[string]time.Duration{}
	for _, topic := range specs {
		require.NotContains(t, seen, topic.Name)
		seen[topic.Name] = topic.Retention
	}
	for _, queue := range []string{"cdc.dlq", "events.dlq"} {
		require.Equal(t, 720*time.Hour, seen[queue], queue)
	}
	cfg.DeadLetter.CDCTopic = cfg.DeadLetter.EventsTopic
	_, err = topics(cfg)
	require.ErrorContains(t, err, "topic events.dlq is named twice")
}

func TestAProgramIsNotServedWithASecretOfOurExamples(t *testing.T) {
	cfg := config.Default()
	cfg.Auth.HS256Secret = strings.Repeat("change-me-", 4)
	require.ErrorContains(t, Serve(t.Context(), cfg, zap.NewNop()), "auth.hs256_secret")
}
