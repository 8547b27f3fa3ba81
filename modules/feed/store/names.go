package store

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
)

// Beside the entry of a viewer whose keys are no integers stand the keys of what the first pages name, and before them
// the viewer's own: a replica that has just started can name them while ClickHouse is away. They are read only then.
// Each is its length in a byte, and its text.

func namesKey(user core.ID) string { return "names:v1:{" + user.String() + "}" }

// KeepNames keeps the keys that an entry names.
func (s *Store) KeepNames(ctx context.Context, user core.ID, texts []string) error {
	if len(texts) == 0 {
		return nil
	}
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	b := make([]byte, 0, 40*len(texts))
	for _, text := range texts {
		b = append(append(b, byte(len(text))), text...) // core.MaxKey is far below 256
	}
	command := conn.B().Set().Key(namesKey(user)).Value(rueidis.BinaryString(b)).Px(s.cfg.KeepEntry).Build()
	if err := conn.Do(ctx, command).Error(); err != nil {
		return fmt.Errorf("keep the names of user %d: %w", user, err)
	}
	return nil
}

// Names reads what KeepNames kept.
func (s *Store) Names(ctx context.Context, user core.ID) (texts []string, err error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return nil, err
	}
	b, err := conn.Do(ctx, conn.B().Get().Key(namesKey(user)).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the names of user %d: %w", user, err)
	}
	for len(b) > 0 {
		n := int(b[0])
		if n >= len(b) {
			return texts, fmt.Errorf("names of user %d: they end too early", user)
		}
		texts, b = append(texts, string(b[1:1+n])), b[1+n:]
	}
	return texts, nil
}
