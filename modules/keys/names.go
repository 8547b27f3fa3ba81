package keys

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
)

// Texts are the keys of derived numbers: from memory, else from ClickHouse. Numbers that are their own keys need none
// and are not in it, nor is what cannot be named. An error comes with what memory knows.
func (b *Book) Texts(ctx context.Context, ids []core.ID) (map[core.ID]string, error) {
	var texts map[core.ID]string
	var ask []core.ID
	for i, id := range ids {
		if !id.Derived() {
			continue
		}
		if texts == nil {
			texts = make(map[core.ID]string, len(ids)-i)
		}
		if text, ok := b.Text(id); ok {
			texts[id] = text
		} else {
			ask = append(ask, id)
		}
	}
	if len(ask) == 0 {
		return texts, nil
	}
	err := b.Load(ctx, ask)
	for _, id := range ask {
		if text, ok := b.Text(id); ok {
			texts[id] = text
		} else {
			b.unnamed(id)
		}
	}
	return texts, err
}

// Text is the key of a derived number, as far as memory knows it.
func (b *Book) Text(id core.ID) (string, bool) {
	if b.isDisputed(id) {
		return "", false
	}
	if text, ok := b.held.get(id); ok {
		return text, true
	}
	return b.heard.get(id)
}

// Load reads the texts of derived numbers into memory, but for those that it has.
func (b *Book) Load(ctx context.Context, ids []core.ID) error {
	var ask []core.ID
	for _, id := range ids {
		if _, ok := b.Text(id); !ok && id.Derived() && !b.isDisputed(id) {
			ask = append(ask, id)
		}
	}
	if len(ask) == 0 {
		return nil
	}
	err := b.guard.Do(ctx, func(ctx context.Context) error {
		have, err := b.table.read(ctx, ask)
		for id, rows := range have {
			for _, r := range rows {
				if r.held {
					b.remember(core.Key{ID: id, Text: r.text})
				}
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("texts of keys: %w", err)
	}
	return nil
}

// unnamed counts a number that nobody can name, and tells of it once.
func (b *Book) unnamed(id core.ID) {
	b.metrics.unnamed.Inc()
	if b.once(core.Key{ID: id}) {
		b.log.Warn("a key is not known: what it names is left out", zap.Int64("number", int64(id)))
	}
}

// ErrOther tells that a number is known as another key's.
var ErrOther = errors.New("another key has the same number")

// Learn gives the number of a key that was read where no batch brings it from: the app's database, the tail of a topic,
// a request. It fails where the number is known as another's.
func (b *Book) Learn(key string) (core.ID, error) {
	k, err := core.ParseKey(key)
	if err != nil {
		return 0, err
	}
	return k.ID, b.Hear(k)
}

// Hear is Learn of a key that was parsed before.
func (b *Book) Hear(k core.Key) error {
	if !k.ID.Derived() {
		return nil
	}
	text, ok := b.held.get(k.ID)
	if !ok {
		text, ok = b.heard.get(k.ID)
	}
	switch {
	case !ok:
		b.hear(k)
		return nil
	case text != k.Text || b.isDisputed(k.ID):
		return fmt.Errorf("key %q: %w", k.Text, ErrOther)
	}
	return nil
}

// Check refuses a key that somebody names and whose number is another's. What memory does not know is asked for once.
func (b *Book) Check(ctx context.Context, k core.Key) error {
	if !k.ID.Derived() {
		return nil
	}
	if b.Load(ctx, []core.ID{k.ID}) != nil { // whom nobody knows passes, and is compared later
		_ = b.LoadKept(ctx, k.ID)
	}
	text, ok := b.held.get(k.ID)
	if !ok {
		b.hear(k)
		text, _ = b.heard.get(k.ID)
	}
	if text != k.Text {
		b.metrics.viewers.Inc()
		return core.Errorf(core.CodeForbidden, "%q cannot be used: by a rare accident another key has the same number",
			k.Text)
	}
	return nil
}

// Refused tells which keys have a number that is held by another. It claims none.
func (b *Book) Refused(ctx context.Context, keys []core.Key) (core.RefusedKeys, error) {
	if err := b.Load(ctx, numbers(keys)); err != nil {
		return nil, err
	}
	refused := core.RefusedKeys{}
	for _, k := range keys {
		if text, ok := b.held.get(k.ID); ok && text != k.Text {
			refused[k] = struct{}{}
		}
	}
	return refused, nil
}

// User reads the key of a user as a client writes it.
func (b *Book) User(ctx context.Context, text string) (core.ID, error) {
	return b.read(ctx, b.forms.Users, text)
}

// Post reads the key of a post as a client writes it.
func (b *Book) Post(ctx context.Context, text string) (core.ID, error) {
	return b.read(ctx, b.forms.Posts, text)
}

func (b *Book) read(ctx context.Context, form core.KeyForm, text string) (core.ID, error) {
	k, err := form.Parse(text)
	if err != nil {
		return 0, err
	}
	return k.ID, b.Check(ctx, k)
}

// LoadKept learns the keys that were kept beside what is cached of a user.
func (b *Book) LoadKept(ctx context.Context, user core.ID) error {
	texts, err := b.kept(ctx, user)
	for _, text := range texts {
		_, _ = b.Learn(text) // one that is known as another's names nothing
	}
	return err
}
