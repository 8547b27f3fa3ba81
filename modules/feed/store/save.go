package store

import (
	"context"
	_ "embed" // the script
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// A reserve is computed under a lease of its viewer, taken before the graph is read. So one replica
// computes it at a time; and a viewer who has neither entry nor lease need not be told of changes:
// who reads the graph later finds them there.

// Lease is the right to save a reserve. Its zero value gives none.
type Lease string

// Lease takes the viewer's lease for so long, unless somebody holds it.
func (s *Store) Lease(ctx context.Context, user core.ID, ttl time.Duration) (Lease, bool, error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return "", false, err
	}
	lease := Lease(strconv.FormatUint(rand.Uint64(), 36))
	err = conn.Do(ctx, conn.B().Set().Key(leaseKey(user)).Value(string(lease)).Nx().Px(ttl).Build()).Error()
	switch {
	case rueidis.IsRedisNil(err):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("lease the reserve of user %s: %w", user, err)
	}
	return lease, true, nil
}

//go:embed free.lua
var freeScript string

// Free gives a lease back where nothing was computed.
func (s *Store) Free(ctx context.Context, user core.ID, lease Lease) error {
	conn, err := s.redis.Conn()
	if err != nil {
		return err
	}
	if err := s.free.Exec(ctx, conn, []string{leaseKey(user)}, []string{string(lease)}).Error(); err != nil {
		return fmt.Errorf("free the lease of user %s: %w", user, err)
	}
	return nil
}

//go:embed save.lua
var saveScript string

// Save caches a reserve that was computed under the lease, over the entry with that tag, and gives
// the lease back. It tells whether it did: not if the viewer was told of a change meanwhile.
func (s *Store) Save(ctx context.Context, user core.ID, lease Lease, over reserve.Tag, freshUntil time.Time,
	r *reserve.Reserve,
) (bool, error) {
	conn, err := s.redis.Conn()
	if err != nil {
		return false, err
	}
	entry := reserve.AppendEntry(make([]byte, 0, 8<<10), rand.Uint64(), freshUntil, r)
	if len(entry) > reserve.MaxEntry {
		return false, fmt.Errorf("save the reserve of user %s: %d bytes", user, len(entry))
	}
	saved, err := s.save.Exec(ctx, conn, []string{entryKey(user), leaseKey(user)}, []string{
		strconv.Itoa(reserve.TagSize), string(over), rueidis.BinaryString(entry), millis(s.cfg.KeepEntry),
		string(lease),
	}).AsInt64()
	if err != nil {
		return false, fmt.Errorf("save the reserve of user %s: %w", user, err)
	}
	return saved == 1, nil
}
