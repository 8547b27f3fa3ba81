package trending

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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
	redis  *redis.Client
	keep   time.Duration
	script *rueidis.Lua
}

// NewPublished reads lists, and keeps those that it writes for Config.Keep.
func NewPublished(cfg Config, client *redis.Client) *Published {
	return &Published{redis: client, keep: cfg.Keep, script: rueidis.NewLuaScript(publishScript)}
}

// A list and the fence of whoever publishes it are on one slot. The fence outlives the list, so that a
// leader that wakes after a long time is still held off.
func listKey(w Window) string  { return "hot:posts:{" + string(w) + "}" }
func fenceKey(w Window) string { return "hot:fence:{" + string(w) + "}" }

// publishScript publishes unless somebody with a newer lead has.
const publishScript = `
local fence = tonumber(redis.call('GET', KEYS[2]) or '0')
if fence > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`

// ErrFenced says that another replica leads, and nothing was published.
var ErrFenced = errors.New("another replica has the lead")

// ErrNone says that no list is published: no replica runs the job, or it cannot reach ClickHouse.
var ErrNone = errors.New("no list is published")

// publish puts a list where everybody reads it, unless a newer lead has been there.
func (p *Published) publish(ctx context.Context, l *List) error {
	conn, err := p.redis.Conn()
	if err != nil {
		return err
	}
	text, err := json.Marshal(l)
	if err != nil {
		return fmt.Errorf("trending %s: %w", l.Window, err)
	}
	done, err := p.script.Exec(ctx, conn, []string{listKey(l.Window), fenceKey(l.Window)}, []string{
		strconv.FormatInt(l.Lead, 10), rueidis.BinaryString(text), strconv.FormatInt(p.keep.Milliseconds(), 10),
	}).AsInt64()
	switch {
	case err != nil:
		return fmt.Errorf("publish trending %s: %w", l.Window, err)
	case done == 0:
		return fmt.Errorf("publish trending %s: %w", l.Window, ErrFenced)
	}
	return nil
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
