package keys

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
)

// Admit makes sure that the number of each key is its own, or refuses the key. It is called before anything is written
// under these numbers, and can be repeated. Keys without a text need nothing.
func (b *Book) Admit(ctx context.Context, keys []core.Key) (core.RefusedKeys, error) {
	unknown := b.unknown(keys)
	if len(unknown) == 0 {
		return nil, nil
	}
	refused := core.RefusedKeys{}
	have, err := b.table.read(ctx, numbers(unknown))
	if err != nil {
		return nil, fmt.Errorf("look whose numbers these are: %w", err)
	}
	claims := unknown[:0]
	for _, k := range unknown {
		switch others, mine := compare(have[k.ID], k.Text); {
		case mine: // held, which no other text can be
			b.remember(k)
		case others:
			b.refuse(refused, k)
		default:
			claims = append(claims, k)
		}
	}
	if len(claims) == 0 {
		return refused, nil
	}
	return refused, b.claim(ctx, claims, refused)
}

// claim claims numbers that nobody else claims, and gives up those that somebody else did at the same time.
func (b *Book) claim(ctx context.Context, keys []core.Key, refused core.RefusedKeys) error {
	one := onePerNumber(keys)
	for _, k := range keys {
		if one[k.ID] != k { // two texts of one number in one batch: the first comes first
			b.refuse(refused, k)
		}
	}
	keys = slices.DeleteFunc(keys, func(k core.Key) bool { return one[k.ID] != k })
	claim := rand.Uint64()
	if err := b.table.write(ctx, keys, claim, claimed); err != nil {
		return fmt.Errorf("claim numbers: %w", err)
	}
	b.reached(atClaimed)
	have, err := b.table.read(ctx, numbers(keys))
	if err != nil {
		return fmt.Errorf("look who else claims these numbers: %w", err)
	}
	var won, lost []core.Key
	for _, k := range keys {
		if others, _ := compare(have[k.ID], k.Text); others {
			lost = append(lost, k)
		} else {
			won = append(won, k)
		}
	}
	if err := b.table.write(ctx, won, claim, held); err != nil {
		return fmt.Errorf("hold numbers: %w", err)
	}
	if err := b.table.write(ctx, lost, claim, withdrawn); err != nil {
		return fmt.Errorf("withdraw claims: %w", err)
	}
	for _, k := range won {
		b.remember(k)
	}
	for _, k := range lost {
		b.refuse(refused, k)
	}
	return nil
}

// compare tells whether a number is claimed for another text, and whether it is held for this one.
func compare(have []row, text string) (others, mine bool) {
	for _, r := range have {
		others = others || r.text != text
		mine = mine || r.text == text && r.held
	}
	return others, mine
}

// unknown are the keys that are not known to be held, each once.
func (b *Book) unknown(keys []core.Key) []core.Key {
	var out []core.Key
	var seen map[core.Key]struct{}
	for _, k := range keys {
		if !k.ID.Derived() {
			continue
		}
		if b.held.is(k.ID, k.Text) {
			continue
		}
		if _, again := seen[k]; again {
			continue
		}
		if seen == nil {
			seen = make(map[core.Key]struct{}, len(keys))
		}
		seen[k] = struct{}{}
		out = append(out, k)
	}
	return out
}

func onePerNumber(keys []core.Key) map[core.ID]core.Key {
	one := make(map[core.ID]core.Key, len(keys))
	for _, k := range keys {
		if _, taken := one[k.ID]; !taken {
			one[k.ID] = k
		}
	}
	return one
}

func numbers(keys []core.Key) []core.ID {
	ids := make([]core.ID, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return ids
}

// refuse counts a key whose number is another's, and tells of it once.
func (b *Book) refuse(refused core.RefusedKeys, k core.Key) {
	refused[k] = struct{}{}
	b.metrics.collisions.Inc()
	if b.once(k) {
		b.log.Error("a key has the number of another: what it names becomes dead letters", zap.Int64("number", int64(k.ID)))
	}
}
