package console

import (
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/feedrank/feedrank/modules/console/session"
	"github.com/feedrank/feedrank/modules/console/views"
)

// deadLetter is a record that could not be applied.
type deadLetter struct {
	ID        string            `json:"id"`
	Topic     string            `json:"topic"`
	Epoch     int               `json:"epoch"`
	Partition int               `json:"partition"`
	Offset    string            `json:"offset"`
	Reason    string            `json:"reason"`
	Detail    string            `json:"detail"`
	At        time.Time         `json:"at"`
	Timestamp *time.Time        `json:"record_timestamp"`
	Version   string            `json:"version"`
	State     string            `json:"state"`
	MarkedAt  *time.Time        `json:"marked_at"`
	Bytes     int               `json:"bytes"`
	Truncated bool              `json:"truncated"`
	Key       *content          `json:"key"`
	Value     *content          `json:"value"`
	Headers   map[string]string `json:"headers"`
}

// content is text, or what is none.
type content struct {
	Text   string `json:"text"`
	Base64 string `json:"base64"`
}

func (c *content) String() string {
	switch {
	case c == nil:
		return "(none)"
	case c.Base64 != "":
		return "base64: " + c.Base64
	}
	return c.Text
}

// lettersView is what waits in the queues.
type lettersView struct {
	Queues, States []string
	Orders         []struct{ Value, Text string }
	Wanted         letterFilter
	Filtered       bool
	Self           string // the address of this list
	Lists          []letterList
	Tasks          []letterTask // of the last hour
	Problem        *views.Problem
}

type letterFilter struct{ Queue, State, Reason, Topic, Since, Until, Order string }

type letterList struct {
	Name    string
	Rows    []deadLetter
	Total   int // that match
	Next    string
	Problem *views.Problem
}

var (
	queues = []string{"events", "cdc"}
	states = []string{"open", "replayed", "discarded", "any"}
)

// values are those of the filter that say anything.
func (f letterFilter) values() url.Values {
	out := url.Values{}
	for name, value := range map[string]string{
		"state": f.State, "reason": f.Reason, "topic": f.Topic, "since": f.Since, "until": f.Until,
		"order": f.Order,
	} {
		if value != "" {
			out.Set(name, value)
		}
	}
	return out
}

func (c *Console) letters(v *visit) error {
	view := lettersView{Queues: queues, States: states, Wanted: letterFilter{
		Queue: v.QueryParam("queue"), State: v.QueryParam("state"), Reason: v.QueryParam("reason"),
		Topic: v.QueryParam("topic"), Since: v.QueryParam("since"), Until: v.QueryParam("until"),
		Order: v.QueryParam("order"),
	}, Orders: []struct{ Value, Text string }{
		{"", "oldest first"}, {"newest", "newest first"}, {"reason", "by reason"}, {"largest", "largest first"},
	}}
	if view.Wanted.State == "" {
		view.Wanted.State = "open"
	}
	w := view.Wanted
	view.Filtered = w.Reason+w.Topic+w.Since+w.Until != ""
	here := w.values()
	if w.Queue != "" {
		here.Set("queue", w.Queue)
	}
	view.Self = session.Path + "/dead-letters?" + here.Encode()
	for _, queue := range queues {
		if w.Queue == "" || w.Queue == queue {
			view.Lists = append(view.Lists, letterList{Name: queue})
		}
	}
	if len(view.Lists) == 0 {
		view.Problem = &views.Problem{What: "There is no such queue", Do: "Choose events, cdc, or both."}
	}
	var asking sync.WaitGroup // each reads a queue from its beginning
	for i := range view.Lists {
		asking.Go(func() { view.Lists[i] = v.letterList(view.Lists[i].Name, w) })
	}
	tasks, err := v.letterTasks()
	asking.Wait()
	if err != nil { // the letters are in Kafka, and can be seen all the same
		view.Problem = v.explain("What is under way is not known", err)
	}
	for _, task := range tasks {
		if task.FinishedAt == nil || c.clock.Now().Sub(*task.FinishedAt) < time.Hour {
			view.Tasks = append(view.Tasks, task)
		}
	}
	return v.show("letters", "Dead letters", "letters", view)
}

func (v *visit) letterList(queue string, w letterFilter) letterList {
	asked := w.values()
	asked.Set("queue", queue)
	after := "after_" + queue
	if at := v.QueryParam(after); at != "" {
		asked.Set("cursor", at)
	}
	var answer struct {
		Items      []deadLetter `json:"items"`
		NextCursor *string      `json:"next_cursor"`
		Total      int          `json:"total"`
	}
	err := v.get("/admin/v1/dead-letters", asked, &answer)
	out := letterList{
		Name: queue, Rows: answer.Items, Total: answer.Total, Problem: v.explain("These letters cannot be listed", err),
	}
	if answer.NextCursor != nil {
		next := w.values()
		next.Set("queue", queue)
		next.Set(after, *answer.NextCursor)
		out.Next = session.Path + "/dead-letters?" + next.Encode()
	}
	return out
}

// letterView is one letter. Its record is not shown before somebody asks.
type letterView struct {
	Queue      string
	Letter     *deadLetter
	Shown      bool
	Key, Value string
	Problem    *views.Problem
}

func (c *Console) letter(v *visit) error {
	return v.showOne(v.QueryParam("queue"), v.QueryParam("id"), false)
}

// showLetter shows the record as well.
func (c *Console) showLetter(v *visit) error {
	return v.showOne(v.FormValue("queue"), v.FormValue("id"), true)
}

func (v *visit) showOne(queue, id string, whole bool) error {
	view := letterView{Queue: queue, Shown: whole}
	if !slices.Contains(queues, queue) {
		view.Queue = queues[0]
	}
	letter := &deadLetter{}
	path, asked := "/admin/v1/dead-letters/"+url.PathEscape(id), url.Values{"queue": {view.Queue}}
	err := v.get(path, asked, letter)
	if err == nil && whole { // who looks is put on record, or sees nothing
		err = v.ask(http.MethodPost, path+"/look", asked, nil, letter)
	}
	if err != nil {
		view.Problem = v.explain("This letter cannot be shown", err)
		return v.show("letter", "Dead letter", "letters", view)
	}
	view.Letter = letter
	if whole {
		view.Key, view.Value = letter.Key.String(), letter.Value.String()
	}
	return v.show("letter", "Dead letter "+id, "letters", view)
}
