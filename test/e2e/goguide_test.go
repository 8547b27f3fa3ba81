package e2e

import (
	"context"
	"log"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	feedrank "github.com/feedrank/feedrank/modules/clients/go"
	"github.com/feedrank/feedrank/test/stack"
)

// guided is the guide for developers of clients: what stands in it is here, and runs.
type guided struct {
	token  string
	events *feedrank.Recorder
	shown  []feedrank.Item
	told   int
}

func (g *guided) feed(ctx context.Context, address string) error {
	tokenOfMyBackend := func(context.Context, bool) (string, error) { return g.token, nil }
	show := func(item feedrank.Item) { g.shown = append(g.shown, item) }
	client, err := feedrank.New(address, func(ctx context.Context, anew bool) (string, error) {
		return tokenOfMyBackend(ctx, anew)
	})
	if err != nil {
		return err
	}
	for item, err := range client.Items(ctx, feedrank.FeedOptions{Limit: 20}) {
		if err != nil {
			return err
		}
		show(item)
	}
	page, err := client.Feed(ctx, feedrank.FeedOptions{Limit: 1})
	if err != nil {
		return err
	}
	item := page.Items[0]
	recorder := client.NewRecorder(ctx, feedrank.RecorderOptions{
		Dropped: func(e feedrank.Event, why error) { log.Printf("event %s dropped: %v", e.ID, why) },
	})
	recorder.Record(item.Event(feedrank.Impression, time.Now()))
	g.events = recorder
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	showPill := func(int, bool) { g.told++; stop() }
	for waiting, err := range client.Updates(ctx, page.AsOf) {
		if err != nil {
			return err
		}
		showPill(waiting.NewPosts, waiting.More)
	}
	return nil
}

var goSnippet = regexp.MustCompile("(?s)<!-- go: \\w+ -->\n```go\n(.*?)```")

func TestTheGoSnippetsOfTheClientsGuideRun(t *testing.T) {
	guide, err := os.ReadFile("../../modules/clients/README.md")
	require.NoError(t, err)
	here, err := os.ReadFile("goguide_test.go")
	require.NoError(t, err)
	snippets := goSnippet.FindAllStringSubmatch(string(guide), -1)
	require.Len(t, snippets, 3)
	for _, snippet := range snippets {
		indented := "\t" + strings.ReplaceAll(strings.TrimSpace(snippet[1]), "\n", "\n\t") + "\n"
		require.Contains(t, string(here), indented, "what the guide says is what is run")
	}
	s := stack.New(t)
	p := start(t, settings(t, s, "all"))
	world(t, s)
	p.eventually("the seeded posts reach the feed", func() bool {
		_, now := p.feed(20, "limit=50")
		return len(now.Items) == 50
	})
	g := &guided{token: p.token(viewer, time.Hour)}
	require.NoError(t, g.feed(t.Context(), p.url))
	require.NotEmpty(t, g.shown)
	require.Equal(t, 1, g.told)
	require.NoError(t, g.events.Close(t.Context()))
	require.Zero(t, g.events.Waiting())
}
