package doctor

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Redis is the cache.
type Redis struct {
	Client *redis.Client
	Clock  core.Clock
}

const (
	redisArea  = "redis"
	fullMemory = 0.9
)

// Checks are what is looked at.
func (r Redis) Checks() []Check {
	return []Check{
		{redisArea, "answers, and its clock", r.clock},
		{redisArea, "memory", r.memory},
		{redisArea, "what it does when it is full", r.policy},
	}
}

func (r Redis) clock(ctx context.Context) ([]Finding, error) {
	conn, err := r.Client.Conn()
	if err != nil {
		return nil, err
	}
	before := r.Clock.Now()
	parts, err := conn.Do(ctx, conn.B().Time().Build()).AsStrSlice()
	if err != nil {
		return nil, err
	}
	if len(parts) != 2 {
		return nil, fmt.Errorf("TIME answered %q", parts)
	}
	seconds, err := strconv.ParseInt(parts[0], 10, 64)
	if err != nil {
		return nil, err
	}
	micros, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return nil, err
	}
	return clockFindings(redisArea, before, time.UnixMicro(seconds*1e6+micros), r.Clock.Now()), nil
}

func (r Redis) memory(ctx context.Context) ([]Finding, error) {
	conn, err := r.Client.Conn()
	if err != nil {
		return nil, err
	}
	text, err := conn.Do(ctx, conn.B().Info().Section("memory").Build()).ToString()
	if err != nil {
		return nil, refused("INFO memory", err)
	}
	return memoryFindings(text), nil
}

func memoryFindings(info string) []Finding {
	has := map[string]int64{}
	for line := range strings.Lines(info) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			has[name] = n
		}
	}
	used, most := has["used_memory"], has["maxmemory"]
	switch {
	case most == 0:
		return []Finding{{
			Risk, redisArea, "has no maxmemory", "set it below the machine's memory: without it the system ends Redis when that is full",
		}}
	case float64(used) > fullMemory*float64(most):
		return []Finding{{
			Advice, redisArea, fmt.Sprintf("%s of %s are used", size(used), size(most)),
			"raise maxmemory, or shorten feed.cache.ttl: what is evicted is computed again",
		}}
	}
	return nil
}

func (r Redis) policy(ctx context.Context) ([]Finding, error) {
	conn, err := r.Client.Conn()
	if err != nil {
		return nil, err
	}
	has, err := conn.Do(ctx, conn.B().ConfigGet().Parameter("maxmemory-policy").Build()).AsStrMap()
	if err != nil {
		return nil, refused("CONFIG GET maxmemory-policy", err)
	}
	if policy := has["maxmemory-policy"]; policy == "noeviction" {
		return []Finding{{
			Risk, redisArea, "refuses writes when it is full (maxmemory-policy noeviction)",
			"set allkeys-lru: then what nobody asked for makes room, and feeds stay in the cache",
		}}, nil
	}
	return nil, nil
}

// refused tells of a command that a managed Redis does not let us send. Its answer may name all arguments.
func refused(command string, err error) error {
	why, _, _ := strings.Cut(err.Error(), ",")
	return fmt.Errorf("%w: %s: %s", ErrNotAllowed, command, why)
}
