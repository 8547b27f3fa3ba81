package deadletter

// The bounds of what is replayed at once.
const (
	batchLetters = 500
	batchBytes   = 4 << 20
)

// batch collects letters, and has them done when it is full.
type batch struct {
	do      func([]Letter) error
	letters []Letter
	bytes   int
}

func (b *batch) add(l Letter) error {
	b.letters = append(b.letters, l)
	b.bytes += len(l.Key) + len(l.Value)
	if len(b.letters) < batchLetters && b.bytes < batchBytes {
		return nil
	}
	return b.flush()
}

func (b *batch) flush() error {
	if len(b.letters) == 0 {
		return nil
	}
	err := b.do(b.letters)
	b.letters, b.bytes = b.letters[:0], 0
	return err
}
