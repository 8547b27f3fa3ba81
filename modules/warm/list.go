package warm

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/clickhouse"
	"github.com/feedrank/feedrank/modules/platform/redis"
	"github.com/feedrank/feedrank/sql"
)

// ListKey is the list of users who are to be warmed.
const ListKey = "warm:{users}"

// The list of users, and the fence of whoever makes it, on one slot.
const (
	listKey  = ListKey
	fenceKey = "warm:fence:{users}"
)

// replaceScript replaces the list unless somebody with a newer lead has. The users come as one text, so
// that their number is not bounded by what a script takes.
const replaceScript = `
local fence = tonumber(redis.call('GET', KEYS[2]) or '0')
if fence > tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
for id in string.gmatch(ARGV[2], '%d+') do redis.call('RPUSH', KEYS[1], id) end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`

// ErrFenced says that another replica leads, and the list is not changed.
var ErrFenced = errors.New("another replica has the lead")

// List is the users who are to be warmed.
type List struct {
	cfg    Config
	client *clickhouse.Client
	redis  *redis.Client
	clock  core.Clock
	script *rueidis.Lua
}

// NewList makes the job's part.
func NewList(cfg Config, client *clickhouse.Client, r *redis.Client, clock core.Clock) *List {
	return &List{cfg: cfg, client: client, redis: r, clock: clock, script: rueidis.NewLuaScript(replaceScript)}
}

// Run replaces the list under the fence. Who is left of the one before was not warmed in time.
func (l *List) Run(ctx context.Context, fence int64) error {
	users, err := l.active(ctx)
	if err != nil {
		return err
	}
	conn, err := l.redis.Conn()
	if err != nil {
		return err
	}
	var text []byte
	for _, id := range users {
		text = append(id.Append(text), ' ')
	}
	done, err := l.script.Exec(ctx, conn, []string{listKey, fenceKey}, []string{
		strconv.FormatInt(fence, 10), rueidis.BinaryString(text), strconv.FormatInt(2*l.cfg.Every.Milliseconds(), 10),
	}).AsInt64()
	switch {
	case err != nil:
		return fmt.Errorf("list users to warm: %w", err)
	case done == 0:
		return ErrFenced
	}
	return nil
}

func (l *List) active(ctx context.Context) ([]core.ID, error) {
	return l.client.IDs(ctx, "user_id", clickhouse.Query{Name: "warm_users", Query: ch.Query{
		Body: sql.ClickHouse("warm_users"),
		Parameters: clickhouse.Params(map[string]any{
			"since": l.clock.Now().Add(-l.cfg.ActiveFor).Unix(),
			"limit": l.cfg.Limit,
		}),
		Settings: clickhouse.Job,
	}})
}

// take removes the next users from the list; none where it is empty.
func take(ctx context.Context, client *redis.Client, n int64) ([]core.ID, error) {
	ctx, cancel := context.WithTimeout(ctx, takeTimeout)
	defer cancel()
	conn, err := client.Conn()
	if err != nil {
		return nil, err
	}
	members, err := conn.Do(ctx, conn.B().Lpop().Key(listKey).Count(n).Build()).AsStrSlice()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("take users to warm: %w", err)
	}
	users := make([]core.ID, 0, len(members))
	for _, m := range members {
		if id, err := core.ParseNumber(m); err == nil {
			users = append(users, id)
		}
	}
	return users, nil
}

// takeTimeout bounds one look at the list.
const takeTimeout = time.Second
