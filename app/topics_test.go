package app

import (
	"os"
	"regexp"
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

// TestRetentionOfEachTopicIsDocumented holds config/personal-data.md against the topics that migrate makes: each is in
// a row, whose setting is the topic's retention. config's own test holds the defaults that stand beside the settings.
func TestRetentionOfEachTopicIsDocumented(t *testing.T) {
	document, err := os.ReadFile("../config/personal-data.md")
	require.NoError(t, err)
	_, rows, found := strings.Cut(string(document), "## Kafka")
	require.True(t, found)
	kept := map[string]string{} // by the topic's name, which may end in *
	row := regexp.MustCompile("(?m)^\\| (`[^|]+) \\|[^|]*\\| (.+) \\|$")
	for _, cells := range row.FindAllStringSubmatch(rows, -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			kept[name[1]] = regexp.MustCompile(`\(([^)]+)\)`).FindStringSubmatch(cells[2])[1]
		}
	}
	specs, err := topics(config.Default())
	require.NoError(t, err)
	for _, topic := range specs {
		text, known := kept[topic.Name]
		if schema, _, ofTable := strings.Cut(topic.Name, "."); !known && ofTable {
			text, known = kept[schema+".*"]
		}
		require.True(t, known, "topic %s: say in config/personal-data.md what it holds, and for how long", topic.Name)
		want, err := time.ParseDuration(text)
		require.NoError(t, err)
		require.Equal(t, want, topic.Retention, topic.Name)
	}
}

func TestAProgramIsNotServedWithASecretOfOurExamples(t *testing.T) {
	cfg := config.Default()
	cfg.Auth.HS256Secret = strings.Repeat("change-me-", 4)
	require.ErrorContains(t, Serve(t.Context(), cfg, zap.NewNop()), "auth.hs256_secret")
}
