package codec

import (
	"crypto/sha256"
	"strconv"
	"time"

	"github.com/feedrank/feedrank/modules/core"
)

// RowForm says how the rows of a file name things.
type RowForm struct {
	Columns  map[string]string // their names of our fields: user, event_id, post, …; one that is not here is its own
	Actions  map[string]string // their names of our actions, such as opened: view
	TimeUnit time.Duration     // what a number in occurred_at counts since 1970; 0: numbers are refused
}

// RowDecoder decides whether a row of a file is an event. It holds it to all that the API holds a request to. A row has
// its user in it, and need not have an id.
type RowDecoder struct {
	form    RowForm
	mapped  map[string]bool // our fields that have other names: a column of our name is none of them
	within  acceptance
	scan    scanner
	fields  fields
	user    core.Key
	hasUser bool
}

// NewRowDecoder makes one for rows that go to a topic.
func NewRowDecoder(log Log, form RowForm) *RowDecoder {
	d := &RowDecoder{form: form, within: log.Acceptance(), mapped: map[string]bool{}}
	for _, ours := range form.Columns {
		d.mapped[ours] = true
	}
	return d
}

// Decode reads a row, which is a JSON object, as it was received now. What content gives makes an id for a row that has
// none: the same for the same content. The strings of the event are parts of the row. Code of the rejection is empty
// where the row is an event.
func (d *RowDecoder) Decode(row []byte, now int64, content func() []byte) (Event, Rejection) {
	d.scan.reset(row)
	d.fields = fields{keys: d.within.keys}
	d.user, d.hasUser = core.Key{}, false
	if d.scan.peek() != '{' {
		return Event{}, Rejection{Code: rejectInvalid, Reason: "want a JSON object"}
	}
	d.scan.members(d.member)
	d.scan.end()
	if d.scan.err != nil {
		return Event{}, Rejection{Code: rejectInvalid, Reason: "the row is not JSON: " + d.scan.err.Error()}
	}
	f := &d.fields
	if !d.hasUser {
		f.reject("user", rejectMissing, "say who did it")
	}
	if f.has&hasEventID == 0 {
		f.ID = madeID(content())
		f.has |= hasEventID
	}
	f.check(now, d.within)
	f.SetUser(d.user)
	f.Received = now
	return f.Event, f.rejected
}

func (d *RowDecoder) member(name []byte) {
	if ours, ok := d.form.Columns[string(name)]; ok {
		name = []byte(ours)
	} else if d.mapped[string(name)] {
		d.scan.skip()
		return
	}
	f, s := &d.fields, &d.scan
	switch string(name) {
	case "user", "user_id":
		d.readUser()
	case "event_id":
		if b, ok := d.word(); ok {
			if f.ID, ok = parseUUID(b); !ok {
				f.ID = madeID(b)
			}
			f.has |= hasEventID
		}
	case "action":
		if b, ok := f.str(s, "action"); ok {
			d.action(text(b))
		}
	case "occurred_at":
		if b, ok := d.word(); ok {
			d.occurred(text(b))
		}
	case "dwell_ms":
		if b, ok := d.word(); ok {
			d.dwell(text(b))
		}
	default:
		f.member(s, name)
	}
}

// word reads a string or a number; null is as good as absent, and anything else is an empty word.
func (d *RowDecoder) word() ([]byte, bool) {
	switch c := d.scan.peek(); {
	case c == '"':
		return d.scan.str(), true
	case c == '-' || isDigit(c):
		return d.scan.number(), true
	case c == 'n':
		d.scan.skip()
		return nil, false
	default:
		d.scan.skip()
		return nil, true
	}
}

func (d *RowDecoder) readUser() {
	b, ok := d.word()
	if !ok {
		return
	}
	key, err := d.within.keys.Users.Parse(text(b))
	if err != nil {
		d.fields.reject("user", rejectInvalid, err.Error())
	}
	d.user, d.hasUser = key, true
}

func (d *RowDecoder) action(name string) {
	if ours, ok := d.form.Actions[name]; ok {
		name = ours
	}
	a, ok := core.ParseAction(name)
	if !ok {
		d.fields.reject("action", rejectUnknownAction, "say what it is with --actions, such as --actions "+
			strconv.Quote(name)+"=view")
	}
	d.fields.Action = a
	d.fields.has |= hasAction
}

// dateTimes are how databases print a time: without a zone it is taken for UTC.
var dateTimes = []string{time.DateTime, time.DateTime + "Z07", time.DateTime + "Z07:00"}

func (d *RowDecoder) occurred(word string) {
	d.fields.has |= hasOccurred
	if t, err := core.ParseTime(word); err == nil {
		d.fields.Occurred = t.UnixMilli()
		return
	}
	for _, layout := range dateTimes {
		if t, err := time.Parse(layout, word); err == nil {
			d.fields.Occurred = t.UnixMilli()
			return
		}
	}
	n, err := strconv.ParseFloat(word, 64)
	switch {
	case err != nil:
		d.fields.reject("occurred_at", rejectInvalid, core.ErrInvalidTime.Error())
	case d.form.TimeUnit == 0:
		d.fields.reject("occurred_at", rejectInvalid, "a number: say with --time-unit what it counts")
	default:
		millis := n * d.form.TimeUnit.Seconds() * 1000
		if millis < minTimestamp || millis > maxTimestamp {
			d.fields.reject("occurred_at", rejectOutOfRange, "not between 2020 and 2100: is --time-unit right?")
			return
		}
		d.fields.Occurred = int64(millis)
	}
}

func (d *RowDecoder) dwell(word string) {
	d.fields.has |= hasDwell
	n, err := wholeNumber(word)
	if err != nil || n > maxDwellMillis {
		d.fields.reject("dwell_ms", rejectOutOfRange, "want whole milliseconds from 0 to 86400000")
		return
	}
	d.fields.Dwell = uint32(n)
}

// madeID is an id that follows from something: a UUID of version 8.
func madeID(of []byte) (id core.EventID) {
	sum := sha256.Sum256(of)
	copy(id[:], sum[:])
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return id
}
