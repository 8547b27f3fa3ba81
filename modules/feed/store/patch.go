package store

import (
	"context"
	_ "embed" // the script
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/rueidis"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/feed/reserve"
)

// markerFor is how long a viewer without entry is marked as changed: longer than a computation that
// began before the change may take.
const markerFor = 30 * time.Second

// maxPatches bounds the changes of one viewer in one call, such as a snapshot's: with more, the entry
// is given up, and computed anew.
const maxPatches = 500

//go:embed patch.lua
var patchScript string

// Patch tells the entries of several viewers of their changes: none of them is fresh any more. Those
// who have no entry, and for whom none is being computed, cost one look for all of them together.
func (s *Store) Patch(ctx context.Context, changes map[core.ID][]reserve.Patch) error {
	return inBatches(ctx, s, changes, func(ctx context.Context, conn rueidis.Client, viewers []core.ID) error {
		concerned, err := concerned(ctx, conn, viewers)
		if err != nil || len(concerned) == 0 {
			return err
		}
		execs := make([]rueidis.LuaExec, len(concerned))
		for i, viewer := range concerned {
			execs[i] = patchOf(viewer, changes[viewer])
		}
		return firstError(s.patch.ExecMulti(ctx, conn, execs...))
	})
}

// concerned are the viewers who have an entry or a lease.
func concerned(ctx context.Context, conn rueidis.Client, viewers []core.ID) ([]core.ID, error) {
	looks := make(rueidis.Commands, len(viewers))
	for i, viewer := range viewers {
		looks[i] = conn.B().Exists().Key(entryKey(viewer), leaseKey(viewer)).Build()
	}
	var out []core.ID
	for i, result := range conn.DoMulti(ctx, looks...) {
		n, err := result.AsInt64()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			out = append(out, viewers[i])
		}
	}
	return out, nil
}

func patchOf(viewer core.ID, patches []reserve.Patch) rueidis.LuaExec {
	most, text := reserve.MaxEntry, []byte(nil)
	if len(patches) > maxPatches {
		most, patches = -1, nil // longer than anything may be: the marker takes the entry's place
	}
	for _, p := range patches {
		text = reserve.AppendPatch(text, p)
	}
	marker := reserve.AppendMarker(nil, rand.Uint64())
	return rueidis.LuaExec{Keys: []string{entryKey(viewer), leaseKey(viewer)}, Args: []string{
		rueidis.BinaryString(marker), rueidis.BinaryString(text), strconv.Itoa(most), millis(markerFor),
		strconv.Itoa(reserve.TagSize),
	}}
}
