package codec

import (
	"bytes"
	"math"
	"strconv"

	"github.com/feedrank/feedrank/modules/core"
)

// fields reads the members of one event. The first member that is wrong is kept; the rest are read
// all the same, so that a wrong type does not sink the batch.
type fields struct {
	Event
	record   bool  // of Kafka: it has members that a request has not
	version  int64 // of a record's schema
	keys     core.KeyForms
	known    *known // nil: every key is hashed
	slab     *slab  // nil: the texts of each event are made by themselves
	has      fieldSet
	rejected Rejection // Code is empty if nothing was wrong
}

type fieldSet uint16

const (
	hasEventID fieldSet = 1 << iota
	hasAction
	hasPost
	hasAuthor
	hasOccurred
	hasReceived
	hasDwell
)

func (f *fields) reject(field, code, reason string) {
	if f.rejected.Code == "" {
		f.rejected = Rejection{Field: field, Code: code, Reason: reason}
	}
}

// read consumes the next value. Unknown members are skipped, so that clients may be ahead of us.
func (f *fields) read(s *scanner) {
	if s.peek() != '{' {
		s.skip()
		f.reject("", rejectInvalid, "want an object")
		return
	}
	s.members(func(name []byte) { f.member(s, name) })
}

func (f *fields) member(s *scanner, name []byte) {
	switch string(name) {
	case "v", "received_at":
		f.recordMember(s, name)
	case "event_id":
		if b, ok := f.str(s, "event_id"); ok {
			if f.ID, ok = parseUUID(b); !ok {
				f.reject("event_id", rejectInvalid,
					"want a UUID such as 0190a8c2-7a5e-7c3d-9b1f-3f6a2d4c5e6f, not the nil one")
			}
			f.has |= hasEventID
		}
	case "action":
		if b, ok := f.str(s, "action"); ok {
			if f.Action, ok = core.ParseAction(text(b)); !ok {
				f.reject("action", rejectUnknownAction,
					"want impression, view, click, like, unlike, comment, share, dwell, hide, not_interested or unhide")
			}
			f.has |= hasAction
		}
	case "post": // as an item of a page has it; records of Kafka have the other name
		f.named(s, &f.Post, f.keys.Posts, "post", hasPost)
	case "post_id":
		f.named(s, &f.Post, f.keys.Posts, "post_id", hasPost)
	case "author":
		f.named(s, &f.Author, f.keys.Users, "author", hasAuthor)
	case "author_id":
		f.named(s, &f.Author, f.keys.Users, "author_id", hasAuthor)
	case "occurred_at":
		f.Occurred = f.instant(s, "occurred_at", hasOccurred)
	case "dwell_ms":
		f.readDwell(s)
	case "device":
		f.Device = f.limited(s, "device", maxDevice)
	case "app_version":
		f.AppVersion = f.limited(s, "app_version", maxAppVersion)
	case "feed_session":
		f.Session = f.limited(s, "feed_session", maxSession)
	default:
		s.skip()
	}
}

func (f *fields) recordMember(s *scanner, name []byte) {
	switch {
	case !f.record:
		s.skip()
	case string(name) == "v":
		f.version = f.readVersion(s)
	default:
		f.Received = f.instant(s, "received_at", hasReceived)
	}
}

// str reads a string; null is as good as absent.
func (f *fields) str(s *scanner, field string) ([]byte, bool) {
	switch s.peek() {
	case '"':
		return s.str(), true
	case 'n':
		s.skip()
	default:
		s.skip()
		f.reject(field, rejectInvalid, "want a string")
	}
	return nil, false
}

func (f *fields) limited(s *scanner, field string, most int) string {
	b, _ := f.str(s, field)
	switch {
	case len(b) > most:
		f.reject(field, rejectTooLong, "longer than "+strconv.Itoa(most)+" bytes")
		return ""
	case !f.record && bytes.IndexByte(b, 0) >= 0: // what others wrote to Kafka is stored as it is
		f.reject(field, rejectInvalid, "want text without NUL")
		return ""
	}
	return text(b)
}

// named reads an id that goes by two names. Where both are given, they must say the same.
func (f *fields) named(s *scanner, into *core.ID, form core.KeyForm, field string, has fieldSet) {
	if s.peek() == 'n' { // null is as good as absent
		s.skip()
		return
	}
	had, was := f.has&has != 0, *into
	key := f.identifier(s, form, field, has)
	if *into = key.ID; key.Text != "" {
		f.keep(key.Text, has)
	}
	if had && *into != was {
		f.reject(field, rejectInvalid, "says another id than the same member under its other name")
	}
}

// identifier reads an id from a string or, leniently, from a number.
func (f *fields) identifier(s *scanner, form core.KeyForm, field string, has fieldSet) core.Key {
	var b []byte
	switch c := s.peek(); {
	case c == '"':
		b = s.str()
	case isDigit(c) || c == '-':
		b = s.number()
	default:
		s.skip()
	}
	f.has |= has
	key, err := f.known.parse(form, b)
	if err != nil {
		f.reject(field, rejectInvalid, "want an id as a string: "+err.Error())
	}
	return key
}

// keep keeps the text of a key.
func (f *fields) keep(text string, of fieldSet) {
	if f.Texts == nil {
		f.Texts = f.slab.next()
	}
	if of == hasPost {
		f.Texts.Post = text
	} else {
		f.Texts.Author = text
	}
}

func (f *fields) instant(s *scanner, field string, has fieldSet) int64 {
	b, ok := f.str(s, field)
	if !ok {
		return 0
	}
	f.has |= has
	t, err := core.ParseTime(text(b))
	if err != nil {
		f.reject(field, rejectInvalid, err.Error())
		return 0
	}
	return t.UnixMilli()
}

func (f *fields) readDwell(s *scanner) {
	var b []byte
	switch c := s.peek(); {
	case isDigit(c) || c == '-':
		b = s.number()
	case c == 'n':
		s.skip()
		return
	default:
		s.skip()
	}
	f.has |= hasDwell
	n, err := wholeNumber(text(b))
	switch {
	case len(b) == 0:
		f.reject("dwell_ms", rejectInvalid, "want a number of milliseconds")
	case err != nil || n > maxDwellMillis:
		f.reject("dwell_ms", rejectOutOfRange, "want whole milliseconds from 0 to 86400000")
	default:
		f.Dwell = uint32(n)
	}
}

// wholeNumber reads 1500, and 1500.0 or 1.5e3, as programs write it that know floating point only.
func wholeNumber(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil {
		return n, nil
	}
	if f, wrong := strconv.ParseFloat(text, 64); wrong == nil && f >= 0 && f <= maxDwellMillis && f == math.Trunc(f) {
		return uint64(f), nil
	}
	return 0, err
}

func (f *fields) readVersion(s *scanner) int64 {
	if !isDigit(s.peek()) {
		s.skip()
		return -1
	}
	n, err := strconv.ParseInt(text(s.number()), 10, 32)
	if err != nil {
		return -1
	}
	return n
}

// parseUUID reads the 36-character form. The nil UUID is what clients send that forgot to make one.
func parseUUID(b []byte) (id core.EventID, ok bool) {
	if len(b) != 36 || b[8] != '-' || b[13] != '-' || b[18] != '-' || b[23] != '-' {
		return id, false
	}
	var or byte
	for i, at := 0, 0; i < len(id); i, at = i+1, at+2 {
		if b[at] == '-' {
			at++
		}
		high, ok1 := hexDigit(b[at])
		low, ok2 := hexDigit(b[at+1])
		if !ok1 || !ok2 {
			return core.EventID{}, false
		}
		id[i] = high<<4 | low
		or |= id[i]
	}
	return id, or != 0
}
