package main

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// event is one event as its client made it.
type event struct {
	id                 [16]byte
	user, post, author int64
	occurred           int64 // milliseconds since 1970
	dwell              uint32
	action             uint8 // an index of actions
}

// record is one record of the stream: an event, a copy of one, or poison.
type record struct {
	event  int32
	shift  int32 // milliseconds by which a copy's occurred_at differs
	poison poison
}

// actions in the order of their numbers in ClickHouse, which count from 1.
func actions() []string {
	return []string{
		"impression", "view", "click", "like", "unlike", "comment", "share", "dwell", "hide",
		"not_interested", "unhide",
	}
}

const dwellAction = 7

type poison uint8

const (
	sound poison = iota
	emptyValue
	malformed
	notText
	oversized
	badKey
	misrouted
	newerVersion
	tooOld
	poisons
)

// reason is what a dead letter says about a poison.
func (p poison) reason() string {
	return [...]string{
		"", "empty", "malformed", "malformed", "oversized", "bad_key", "misrouted", "newer_version",
		"invalid",
	}[p]
}

// stream is everything that is produced: the ledger that the end is compared with.
type stream struct {
	events  []event
	records []record
	posts   int
	naming
}

const (
	duplicateShare = 0.08
	poisonShare    = 0.002
	days           = 5 // that events are late, at most
)

// poisoned are the users of poison.
const poisoned = 1000

// newStream makes the same n records for the same seed, seen from the same moment, of an app with such keys.
func newStream(seed uint64, n int, now time.Time, keys core.KeyForm) *stream {
	rng := rand.New(rand.NewPCG(seed, 0))             // it must be repeatable
	users, posts := max(50, n/800), max(30, n/10_000) // few posts: a user has done most things with a post before
	s := &stream{records: make([]record, 0, n), posts: posts}
	if keys == core.UUIDKeys {
		s.naming = uuids(max(users, poisoned), posts)
	}
	borrowed := int32(0)
	for len(s.records) < n {
		r := record{}
		switch at := rng.Float64(); {
		case at < poisonShare:
			r.poison = poison(1 + rng.IntN(int(poisons)-1))
			r.event = s.add(rng, users, posts, now)
			s.events[r.event].user = 0 // it will not be there
		case at < poisonShare+duplicateShare && len(s.events) > 10:
			// All distances: each order of magnitude as often as the others.
			back := int(math.Exp(rng.Float64() * math.Log(float64(len(s.events)))))
			r.event = int32(max(0, len(s.events)-back))
			if s.events[r.event].user == 0 {
				continue
			}
			if rng.IntN(3) == 0 {
				r.shift = -int32(time.Duration(1+rng.IntN(30)) * time.Hour / time.Millisecond)
			}
		default:
			r.event = s.add(rng, users, posts, now)
			if last := r.event - 1; rng.IntN(100) == 0 && last > borrowed &&
				s.events[last].user != s.events[r.event].user {
				s.events[r.event].id = s.events[last].id // the same id, of another user
				borrowed = r.event
			}
		}
		s.records = append(s.records, r)
	}
	return s
}

func (s *stream) add(rng *rand.Rand, users, posts int, now time.Time) int32 {
	e := event{
		user: int64(1 + rng.IntN(users)), post: int64(1 + rng.IntN(posts)), action: uint8(rng.IntN(len(actions()))),
		occurred: now.UnixMilli() - rng.Int64N(int64(2*time.Hour/time.Millisecond)),
	}
	e.author = author(e.post, posts)
	if e.action == dwellAction {
		e.dwell = 1 + uint32(math.Exp(rng.Float64()*12))
	}
	if len(s.events)/1000%8 == 1 && rng.IntN(2) == 0 { // phones that were offline, now and then
		e.occurred -= rng.Int64N(int64(days * 24 * time.Hour / time.Millisecond))
	}
	binary.BigEndian.PutUint64(e.id[:], rng.Uint64())
	binary.BigEndian.PutUint64(e.id[8:], rng.Uint64())
	e.id[0] |= 1
	s.events = append(s.events, e)
	return int32(len(s.events) - 1)
}

// author is whose post it is.
func author(post int64, posts int) int64 { return 1 + post%int64(max(10, posts/10)) }

// late tells whether the app's record of a post comes when half of the stream is produced.
func late(post int64) bool { return post%4 == 0 }

// message is a record as it goes to Kafka: its partition, its key and its value.
func (s *stream) message(n int, partitions int32, at time.Time) (partition int32, key, value []byte) {
	r := s.records[n]
	e := s.events[r.event]
	if r.poison != sound {
		e.user = int64(1 + n%poisoned)
	}
	e.occurred += int64(r.shift)
	key = []byte(s.user(e.user))
	if r.poison == badKey {
		key = []byte("user " + string(key))
	}
	partition = place(key, partitions)
	version := "1"
	switch r.poison {
	case emptyValue:
		return partition, key, nil
	case malformed:
		return partition, key, []byte(`{"v":1,"event_id":`)
	case notText:
		return partition, key, []byte("\xff\xfe\x00\x01")
	case oversized:
		return partition, key, make([]byte, 70<<10)
	case misrouted:
		partition = (partition + 1) % partitions
	case newerVersion:
		version = "9"
	case tooOld:
		e.occurred -= int64(20 * 24 * time.Hour / time.Millisecond)
	case sound, badKey, poisons:
	}
	return partition, key, s.encode(&e, version, at)
}

// encode writes the documented form of a record.
func (s *stream) encode(e *event, version string, at time.Time) []byte {
	b := append(make([]byte, 0, 300), `{"v":`...)
	b = append(append(b, version...), `,"event_id":"`...)
	for i, part := range [][]byte{e.id[:4], e.id[4:6], e.id[6:8], e.id[8:10], e.id[10:]} {
		if i > 0 {
			b = append(b, '-')
		}
		b = hex.AppendEncode(b, part)
	}
	b = append(append(b, `","action":"`...), actions()[e.action]...)
	b = append(append(b, `","post_id":"`...), s.post(e.post)...)
	b = append(append(b, `","author_id":"`...), s.user(e.author+e.post%3)...) // clients name whom they like
	b = time.UnixMilli(e.occurred).UTC().AppendFormat(append(b, `","occurred_at":"`...), instant)
	b = at.UTC().AppendFormat(append(b, `","received_at":"`...), instant)
	b = append(b, '"')
	if e.dwell > 0 {
		b = strconv.AppendUint(append(b, `,"dwell_ms":`...), uint64(e.dwell), 10)
	}
	return append(b, `,"device":"phone","app_version":"1.0"}`...)
}

// place is where Kafka's clients put a key: murmur2 of its bytes.
func place(key []byte, partitions int32) int32 {
	const m = 0x5bd1e995
	h := 0x9747b28c ^ uint32(len(key))
	for ; len(key) >= 4; key = key[4:] {
		k := binary.LittleEndian.Uint32(key) * m
		h = h*m ^ (k^k>>24)*m
	}
	switch len(key) {
	case 3:
		h ^= uint32(key[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(key[1]) << 8
		fallthrough
	case 1:
		h = (h ^ uint32(key[0])) * m
	}
	h = (h ^ h>>13) * m
	return int32((h^h>>15)&0x7fffffff) % partitions
}

const instant = "2006-01-02T15:04:05.000Z07:00"
