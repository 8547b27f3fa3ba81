package core

import "context"

// Names tells the keys of numbers that were derived from them.
type Names interface {
	// Texts are the keys of derived numbers; of other numbers, and of what cannot be named, there is none.
	Texts(ctx context.Context, ids []ID) (map[ID]string, error)
	// Text is one of them, as far as memory knows it.
	Text(id ID) (string, bool)
	// LoadKept learns the keys that were kept beside what is cached of a user.
	LoadKept(ctx context.Context, user ID) error
}

// NoNames knows no key. For who has none but integers.
type NoNames struct{}

// Texts implements Names.
func (NoNames) Texts(context.Context, []ID) (map[ID]string, error) { return nil, nil }

// Text implements Names.
func (NoNames) Text(ID) (string, bool) { return "", false }

// LoadKept implements Names.
func (NoNames) LoadKept(context.Context, ID) error { return nil }

// Named is the key of a number, by what Names.Texts said; false: it cannot be named.
func (id ID) Named(texts map[ID]string) (Key, bool) {
	if !id.Derived() {
		return Key{ID: id}, true
	}
	text, ok := texts[id]
	return Key{ID: id, Text: text}, ok
}
