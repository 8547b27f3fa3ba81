package store

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Config bounds what is kept of a user. The memory of one user is at most about
// 3·entry (12 KiB typically) + 12 bytes for each mark + 8 sessions of 2.5 KiB.
type Config struct {
	KeepEntry  time.Duration `koanf:"keep_entry" validate:"gte=1m,lte=168h"`   // a reserve, fresh or not: what is served while ClickHouse is away
	SeenFor    time.Duration `koanf:"seen_for" validate:"gte=1m,lte=168h"`     // a post that was seen is not shown for so long
	HiddenFor  time.Duration `koanf:"hidden_for" validate:"gte=1h,lte=8760h"`  // a post that was hidden
	MaxSeen    int           `koanf:"max_seen" validate:"gte=10,lte=100000"`   // posts seen, per user; the latest stay
	MaxHidden  int           `koanf:"max_hidden" validate:"gte=10,lte=100000"` // posts hidden, per user
	SessionTTL time.Duration `koanf:"session_ttl" validate:"gte=1m,lte=24h"`   // how long a session of pages can be continued
	WriteFor   time.Duration `koanf:"write_for" validate:"gte=100ms,lte=1m"`   // the consumers try so long to write what viewers saw and changed; then it is lost, and counted
}

// DefaultConfig is what the documentation promises.
func DefaultConfig() Config {
	return Config{
		KeepEntry: time.Hour, SeenFor: 24 * time.Hour, HiddenFor: 30 * 24 * time.Hour, MaxSeen: 2000, MaxHidden: 2000,
		SessionTTL: 30 * time.Minute, WriteFor: 2 * time.Second,
	}
}

// Store reads and writes Redis. It is safe for concurrent use.
type Store struct {
	cfg     Config
	redis   *redis.Client
	save    *rueidis.Lua
	patch   *rueidis.Lua
	trim    *rueidis.Lua
	prepend *rueidis.Lua
	free    *rueidis.Lua
	down    atomic.Bool // the last write was given up
	owed    owed
}

// New makes a store.
func New(cfg Config, client *redis.Client) *Store {
	return &Store{
		cfg: cfg, redis: client,
		save: rueidis.NewLuaScript(saveScript), patch: rueidis.NewLuaScriptNoSha(patchScript),
		trim:    rueidis.NewLuaScriptNoSha(trimScript),
		prepend: rueidis.NewLuaScript(prependScript),
		free:    rueidis.NewLuaScript(freeScript),
	}
}

func entryKey(user core.ID) string  { return "feed:v1:{" + user.String() + "}" }
func seenKey(user core.ID) string   { return "seen:v1:{" + user.String() + "}" }
func leaseKey(user core.ID) string  { return "feed:v1:{" + user.String() + "}:lease" }
func hiddenKey(user core.ID) string { return "hidden:v1:{" + user.String() + "}" }

// UserKeys are all keys that Redis may have of a user.
func UserKeys(user core.ID) []string {
	keys := []string{entryKey(user), namesKey(user), leaseKey(user), seenKey(user), hiddenKey(user)}
	for session := range uint64(sessionsPerUser) {
		keys = append(keys, orderKey(user, session))
	}
	return keys
}

// State is what is known of a user. Missing parts are nil.
type State struct {
	Entry  []byte // see reserve.Entry
	Seen   []byte // see marks
	Hidden []byte
}

// Load reads a user's state in one round trip.
func (s *Store) Load(ctx context.Context, user core.ID) (State, error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return State{}, err
	}
	values, err := conn.Do(ctx, conn.B().Mget().Key(entryKey(user), seenKey(user), hiddenKey(user)).Build()).ToArray()
	if err != nil {
		return State{}, fmt.Errorf("load the state of user %s: %w", user, err)
	}
	var parts [3][]byte
	for i := range values {
		if i < len(parts) && !values[i].IsNil() {
			if parts[i], err = values[i].AsBytes(); err != nil {
				return State{}, fmt.Errorf("load the state of user %s: %w", user, err)
			}
		}
	}
	return State{Entry: parts[0], Seen: parts[1], Hidden: parts[2]}, nil
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
