package demo

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/google/uuid"
)

// nextSteps says how to go on alone.
func (t *tour) nextSteps(ctx context.Context) error {
	token, err := t.deps.Token(t.cast.viewer)
	if err != nil {
		return fmt.Errorf("token of user %d: %w", t.cast.viewer, err)
	}
	admin, err := t.deps.Admin()
	if err != nil {
		return fmt.Errorf("token of an operator: %w", err)
	}
	p, err := t.look(ctx)
	if err != nil {
		return err
	}
	t.screen.line("")
	t.screen.line("%s", t.screen.paint(bold, "Now it is yours: "+t.client.base))
	t.screen.line("")
	if t.deps.Console != nil {
		t.screen.line("  %s&next=%s   # the console: logs you in once, within minutes", t.deps.Console(),
			url.QueryEscape("/console/feed?user="+t.cast.viewer.String()))
	}
	t.screen.line("  TOKEN=%s   # user %s, %s", token, t.cast.viewer, t.cast.name(ctx, t.db, t.cast.viewer))
	t.screen.line("  curl -sH \"Authorization: Bearer $TOKEN\" '%s/api/v1/feed?limit=10&explain=true'", t.client.base)
	t.screen.line("  curl -sH \"Authorization: Bearer $TOKEN\" '%s/api/v1/feed?algo=timeline'", t.client.base)
	t.screen.line("  curl -sH \"Authorization: Bearer $TOKEN\" '%s/api/v1/feed/trending?window=24h'", t.client.base)
	if len(p.Items) > 0 {
		t.screen.line("  curl -sH \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' '%s/api/v1/events' \\", t.client.base)
		t.screen.line(`    -d '{"events":[{"event_id":"%s","action":"like","post_id":"%s","author_id":"%s","occurred_at":"'$(date -u +%%FT%%TZ)'"}]}'   # however often: it counts once`,
			uuid.NewString(), p.Items[0].Post, p.Items[0].Author)
	}
	t.screen.line("")
	t.screen.line("  ADMIN=%s   # an operator", admin)
	for _, path := range []string{"/admin/v1/ranking", "/api/v1/feed/metrics", "/admin/v1/breaker"} {
		t.screen.line("  curl -sH \"Authorization: Bearer $ADMIN\" '%s%s'", t.client.base, path)
	}
	if len(p.Items) > 0 {
		t.screen.line("  feedrank explain --url %s --token $ADMIN --user %s --post %s", t.client.base, t.cast.viewer,
			p.Items[0].Post)
	}
	t.screen.line("  psql '%s'", t.db.Config().ConnString())
	if t.deps.AskServer != "" {
		t.screen.line("  %s   # ClickHouse, as one who only reads", t.deps.AskServer)
	}
	if len(t.deps.Environment) > 0 {
		t.screen.line("")
		t.screen.line("  export %s", strings.Join(t.deps.Environment, " "))
		t.screen.line("  bin/feedrank doctor   # what is to fix; dlq, audit and resync find these servers, too")
	}
	t.screen.line("")
	t.screen.line("%s", t.screen.paint(dim, "People go on posting and liking. Ctrl-C ends it all."))
	return nil
}
