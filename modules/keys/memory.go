package keys

import (
	"encoding/hex"
	"math/bits"
	"sync"

	"github.com/feedrank/feedrank/modules/core"
)

// memory holds the texts of numbers. When it is full the older half goes, but for what was asked for meanwhile.
// It is safe for concurrent use.
type memory struct {
	shards [64]shard
	most   int // of a generation of a shard
}

type shard struct {
	mu       sync.RWMutex
	now, old generation
}

func newMemory(most int) *memory { return &memory{most: max(1, most/(2*64))} }

func (m *memory) shard(id core.ID) *shard { return &m.shards[id.Hash()>>58] }

func (m *memory) get(id core.ID) (string, bool) {
	s := m.shard(id)
	s.mu.RLock()
	text, ok := s.now.get(id)
	aged := false
	if !ok {
		text, ok = s.old.get(id)
		aged = ok
	}
	s.mu.RUnlock()
	if aged {
		m.put(id, text)
	}
	return text, ok
}

// is tells whether a number's text is this one; no text is made to compare it.
func (m *memory) is(id core.ID, text string) bool {
	s := m.shard(id)
	s.mu.RLock()
	same, known := s.now.is(id, text)
	aged := false
	if !known {
		same, aged = s.old.is(id, text)
	}
	s.mu.RUnlock()
	if same && aged {
		m.put(id, text)
	}
	return same
}

func (m *memory) put(id core.ID, text string) {
	s := m.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.len() >= m.most {
		s.old, s.now = s.now, generation{}
	}
	s.now.put(id, text)
}

func (m *memory) remove(id core.ID) {
	s := m.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now.remove(id)
	s.old.remove(id)
}

func (m *memory) len() (n int) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.RLock()
		n += s.now.len() + s.old.len()
		s.mu.RUnlock()
	}
	return n
}

// generation is a table of UUIDs by open addressing, and a map of the rest. Its zero value is empty.
type generation struct {
	ids   []core.ID // 0: free
	uuids [][16]byte
	used  int
	texts map[core.ID]string
}

func (g *generation) len() int { return g.used + len(g.texts) }

// place is where a number is, or would be.
func (g *generation) place(id core.ID) (at int, found bool) {
	high, _ := bits.Mul64(id.Hash()<<6, uint64(len(g.ids))) // the highest bits chose the shard
	for at = int(high); ; {
		switch g.ids[at] {
		case id:
			return at, true
		case 0:
			return at, false
		}
		if at++; at == len(g.ids) {
			at = 0
		}
	}
}

func (g *generation) get(id core.ID) (string, bool) {
	if len(g.ids) > 0 {
		if at, found := g.place(id); found && g.uuids[at] != gone {
			return textOf(g.uuids[at]), true
		}
	}
	text, ok := g.texts[id]
	return text, ok
}

func (g *generation) is(id core.ID, text string) (same, known bool) {
	if len(g.ids) > 0 {
		if at, found := g.place(id); found && g.uuids[at] != gone {
			packed, ok := uuidOf(text)
			return ok && packed == g.uuids[at], true
		}
	}
	other, known := g.texts[id]
	return known && other == text, known
}

func (g *generation) put(id core.ID, text string) {
	g.remove(id)
	packed, ok := uuidOf(text)
	if !ok || packed == gone {
		if g.texts == nil {
			g.texts = map[core.ID]string{}
		}
		g.texts[id] = text
		return
	}
	if g.used*8 >= len(g.ids)*7 {
		g.grow()
	}
	at, found := g.place(id)
	if !found {
		g.used++
	}
	g.ids[at], g.uuids[at] = id, packed
}

// gone is in the place of a UUID that was removed; the number stays, so that others are found behind it.
var gone = [16]byte{}

func (g *generation) remove(id core.ID) {
	delete(g.texts, id)
	if len(g.ids) > 0 {
		if at, found := g.place(id); found {
			g.uuids[at] = gone
		}
	}
}

func (g *generation) grow() {
	before := *g
	size := max(64, len(before.ids)+len(before.ids)/4)
	g.ids, g.uuids, g.used = make([]core.ID, size), make([][16]byte, size), 0
	for i, id := range before.ids {
		if id == 0 || before.uuids[i] == gone {
			continue
		}
		at, _ := g.place(id)
		g.ids[at], g.uuids[at] = id, before.uuids[i]
		g.used++
	}
}

// uuidOf packs a UUID in lower case.
func uuidOf(text string) (packed [16]byte, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return packed, false
	}
	var bad byte
	for i, at := range uuidDigits {
		high, low := digits[text[at]], digits[text[at+1]]
		bad |= high | low
		packed[i] = high<<4 | low
	}
	return packed, bad&noDigit == 0
}

// uuidDigits is where the two digits of each byte of a UUID begin.
var uuidDigits = [16]uint8{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

const noDigit = 1 << 7

// digits are the values of the digits of a UUID in lower case.
var digits = func() (values [256]byte) {
	for i := range values {
		values[i] = noDigit
	}
	for value, digit := range []byte("0123456789abcdef") {
		values[digit] = byte(value)
	}
	return values
}()

// textOf is what uuidOf was given.
func textOf(packed [16]byte) string {
	var b [36]byte
	hex.Encode(b[:8], packed[:4])
	hex.Encode(b[9:13], packed[4:6])
	hex.Encode(b[14:18], packed[6:8])
	hex.Encode(b[19:23], packed[8:10])
	hex.Encode(b[24:], packed[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}
