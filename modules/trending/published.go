package trending

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// List is a list as it is published.
type List struct {
	Window     Window    `json:"window"`
	ComputedAt time.Time `json:"computed_at"`
	Lead       int64     `json:"lead"`
	Posts      []Post    `json:"posts"`   // best first
	Refused    []core.ID `json:"refused"` // left out although much was done with them: by one account, or a few
}

// Published reads and writes the lists in Redis. It is safe for concurrent use.
type Published struct {
	redis *redis.Client
	keep  time.Duration
}

// NewPublished reads lists, and keeps those that it writes for Config.Keep.
func NewPublished(cfg Config, client *redis.Client) *Published {
	return &Published{redis: client, keep: cfg.Keep}
}

func listKey(w Window) string { return "hot:posts:{" + string(w) + "}" }

// ErrNone says that no list is published: no replica runs the job, or it cannot reach ClickHouse.
var ErrNone = errors.New("no list is published")

// publish puts a list where everybody reads it, unless a newer lead has been there.
func (p *Published) publish(ctx context.Context, l *List) error {
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("trending %s: %w", l.Window, err)
	}
	place := redis.Place{Key: listKey(l.Window), Fence: "hot:fence:{" + string(l.Window) + "}"}
	return p.redis.Publish(ctx, place, l.Lead, text, p.keep)
}

// Read is the list of a window, at most Config.Keep old; ErrNone where there is none.
func (p *Published) Read(ctx context.Context, w Window) (*List, error) {
	conn, err := p.redis.Conn()
	if err != nil {
		return nil, err
	}
	text, err := conn.Do(ctx, conn.B().Get().Key(listKey(w)).Build()).AsBytes()
	switch {
	case rueidis.IsRedisNil(err):
		return nil, ErrNone
	case err != nil:
		return nil, fmt.Errorf("read trending %s: %w", w, err)
	}
	l, err := decode(text)
	if err != nil {
		return nil, fmt.Errorf("read trending %s: %w", w, err)
	}
	return l, nil
}

// maxList bounds what is read back.
const maxList = 256 << 10

func decode(text []byte) (*List, error) {
	if len(text) > maxList {
		return nil, fmt.Errorf("a list of %d bytes", len(text))
	}
	var l List
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, err
	}
	for i := range l.Posts {
		if !l.Posts[i].ID.Valid() || !l.Posts[i].Author.Valid() {
			return nil, core.ErrInvalidID
		}
	}
	return &l, nil
}
