package warm

import (
	"context"
	"fmt"
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

// List is the users who are to be warmed.
type List struct {
	cfg    Config
	client *clickhouse.Client
	redis  *redis.Client
	clock  core.Clock
}

// NewList makes the job's part.
func NewList(cfg Config, client *clickhouse.Client, r *redis.Client, clock core.Clock) *List {
	return &List{cfg: cfg, client: client, redis: r, clock: clock}
}

// Run replaces the list under the fence. Who is left of the one before was not warmed in time.
func (l *List) Run(ctx context.Context, fence int64) error {
	users, err := l.active(ctx)
	if err != nil {
		return err
	}
	members := make([]string, len(users))
	for i, id := range users {
		members[i] = id.String()
	}
	place := redis.Place{Key: ListKey, Fence: "warm:fence:{users}"}
	return l.redis.PublishList(ctx, place, fence, members, 2*l.cfg.Every)
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
	members, err := conn.Do(ctx, conn.B().Lpop().Key(ListKey).Count(n).Build()).AsStrSlice()
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
