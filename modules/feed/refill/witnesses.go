package refill

import (
	"context"
	_ "embed" // the script
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/platform/redis"
)

// Witnesses are keys that only an emptied Redis is without. They are many, and spread over the slots of a
// cluster: if one of its nodes is emptied, some are missing.
type Witnesses struct {
	redis *redis.Client
	end   *rueidis.Lua
}

//go:embed end.lua
var endScript string

// NewWitnesses makes them.
func NewWitnesses(client *redis.Client) *Witnesses {
	return &Witnesses{redis: client, end: rueidis.NewLuaScriptNoSha(endScript)}
}

const (
	witnesses = 64
	whole     = "whole"
)

func witness(n int) string { return "marks:v1:whole:{" + strconv.Itoa(n) + "}" }

// Whole tells whether everything that was ever written is still there.
func (w *Witnesses) Whole(ctx context.Context) (bool, error) {
	conn, err := w.redis.Conn()
	if err != nil {
		return false, err
	}
	commands := make(rueidis.Commands, witnesses)
	for n := range commands {
		commands[n] = conn.B().Get().Key(witness(n)).Build()
	}
	for _, result := range conn.DoMulti(ctx, commands...) {
		value, err := result.ToString()
		switch {
		case rueidis.IsRedisNil(err):
			return false, nil
		case err != nil:
			return false, fmt.Errorf("ask Redis whether it was emptied: %w", err)
		case value != whole:
			return false, nil
		}
	}
	return true, nil
}

// Begin says that it is being filled, until End with the same token.
func (w *Witnesses) Begin(ctx context.Context) (token string, err error) {
	conn, err := w.redis.Conn()
	if err != nil {
		return "", err
	}
	token = strconv.FormatUint(rand.Uint64(), 36)
	commands := make(rueidis.Commands, witnesses)
	for n := range commands {
		commands[n] = conn.B().Set().Key(witness(n)).Value(token).Build()
	}
	for _, result := range conn.DoMulti(ctx, commands...) {
		if err := result.Error(); err != nil {
			return "", fmt.Errorf("begin to fill Redis: %w", err)
		}
	}
	return token, nil
}

// End says that it was filled. It tells false if Redis was emptied meanwhile, or somebody else began.
func (w *Witnesses) End(ctx context.Context, token string) (bool, error) {
	conn, err := w.redis.Conn()
	if err != nil {
		return false, err
	}
	ends := make([]rueidis.LuaExec, witnesses)
	for n := range ends {
		ends[n] = rueidis.LuaExec{Keys: []string{witness(n)}, Args: []string{token, whole}}
	}
	stood := true
	for _, result := range w.end.ExecMulti(ctx, conn, ends...) {
		done, err := result.AsInt64()
		if err != nil {
			return false, fmt.Errorf("end filling Redis: %w", err)
		}
		stood = stood && done == 1
	}
	return stood, nil
}
