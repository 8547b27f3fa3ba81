package export

import (
	"context"
	"unicode/utf8"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// kept is a key of Redis. Value is text, a list, or a map of members and scores; what is no text is in Bytes.
type kept struct {
	Key   string `json:"key"`
	Type  string `json:"type"`
	Value any    `json:"value,omitempty"`
	Bytes []byte `json:"bytes,omitempty"` // in base64
}

// fromRedis reads the person's keys: those whose names can be told, then those that are found by a pattern.
func (e *Exporter) fromRedis(ctx context.Context, user core.ID, w *writer) error {
	conn, err := e.redis.Conn()
	if err != nil {
		return err
	}
	for _, key := range e.keys.Own(user) {
		if err := keep(ctx, conn, key, w); err != nil {
			return err
		}
	}
	for _, pattern := range e.keys.Patterns(user) {
		err := redis.Scan(ctx, conn, pattern, func(node rueidis.Client, keys []string) error {
			for _, key := range keys {
				if err := keep(ctx, node, key, w); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keep writes a key, if it is there.
func keep(ctx context.Context, conn rueidis.Client, key string, w *writer) error {
	kind, err := conn.Do(ctx, conn.B().Type().Key(key).Build()).ToString()
	if err != nil {
		return err
	}
	k := kept{Key: key, Type: kind}
	switch kind {
	case "none":
		return nil
	case "string":
		var text string
		text, err = conn.Do(ctx, conn.B().Get().Key(key).Build()).ToString()
		if k.Value = text; !utf8.ValidString(text) {
			k.Value, k.Bytes = nil, []byte(text)
		}
	case "list":
		k.Value, err = conn.Do(ctx, conn.B().Lrange().Key(key).Start(0).Stop(-1).Build()).AsStrSlice()
	case "set":
		k.Value, err = conn.Do(ctx, conn.B().Smembers().Key(key).Build()).AsStrSlice()
	case "hash":
		k.Value, err = conn.Do(ctx, conn.B().Hgetall().Key(key).Build()).AsStrMap()
	case "zset":
		var scores []rueidis.ZScore
		scores, err = conn.Do(ctx, conn.B().Zrange().Key(key).Min("0").Max("-1").Withscores().Build()).AsZScores()
		members := map[string]float64{}
		for _, s := range scores {
			members[s.Member] = s.Score
		}
		k.Value = members
	}
	if rueidis.IsRedisNil(err) { // it has expired since
		return nil
	}
	if err != nil {
		return err
	}
	return w.row("redis", k)
}
