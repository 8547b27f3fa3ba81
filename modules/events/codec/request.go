package codec

import "github.com/feedrank/feedrank/modules/core"

// maxEvents is the largest batch of one request.
const maxEvents = 100

// DecodeRequest reads a request's body. What is wrong with a single event is a rejection; an error is
// for a body that is no batch.
func DecodeRequest(body []byte, now int64, within acceptance) (events []Event, rejected []Rejection, err error) {
	if err := notAnObject(body); err != nil {
		return nil, nil, err
	}
	s := scanner{data: body}
	rejected = []Rejection{}
	index, found := 0, false
	s.members(func(name []byte) {
		if string(name) != "events" || s.peek() != '[' {
			s.skip()
			return
		}
		found = true
		s.elements(func() {
			f := fields{keys: within.keys}
			f.read(&s)
			f.check(now, within)
			switch {
			case index >= maxEvents:
			case f.rejected.Code != "":
				f.rejected.Index = index
				rejected = append(rejected, f.rejected)
			default:
				events = append(events, f.Event)
			}
			index++
		})
	})
	s.end()
	switch {
	case s.err != nil:
		return nil, nil, malformed(body, s.err, s.at)
	case !found:
		return nil, nil, core.InvalidField("events", wantBatch)
	case index == 0 || index > maxEvents:
		return nil, nil, core.InvalidField("events", "want 1 to %d events, got %d", maxEvents, index)
	}
	return events, rejected, nil
}
