package partition

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/events/codec"
	"github.com/feedrank/feedrank/modules/events/counting"
	"github.com/feedrank/feedrank/modules/events/ledger"
	"github.com/feedrank/feedrank/modules/events/posts"
)

// refusing is an admission that refuses some texts.
type refusing struct {
	texts []string
	err   error
	asked [][]core.Key
}

func (r *refusing) Admit(_ context.Context, keys []core.Key) (core.RefusedKeys, error) {
	r.asked = append(r.asked, keys)
	refused := core.RefusedKeys{}
	for _, k := range keys {
		for _, text := range r.texts {
			if k.Text == text {
				refused[k] = struct{}{}
			}
		}
	}
	return refused, r.err
}

// batchOf is a worker whose batch has events of a user on posts, as they came from Kafka.
func batchOf(t *testing.T, keys core.Admission, forms core.KeyForms, user, author string, posts ...string) *Worker {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Keys = forms
	reader := codec.NewDecoder(cfg.Log)
	w := &Worker{Shared: Shared{Config: cfg, Keys: keys, Topic: "events"}, present: ledger.Offsets{}}
	parse := func(f core.KeyForm, text string) core.Key {
		k, err := f.Parse(text)
		require.NoError(t, err)
		return k
	}
	now := time.Now()
	for i, post := range posts {
		e := codec.Event{
			ID: core.EventID(uuid.New()), Action: core.ActionLike, Occurred: now.UnixMilli(), Received: now.UnixMilli(),
			Texts: &codec.Texts{},
		}
		p, a := parse(forms.Posts, post), parse(forms.Users, author)
		e.Post, e.Texts.Post, e.Author, e.Texts.Author = p.ID, p.Text, a.ID, a.Text
		e.SetUser(parse(forms.Users, user))
		sent := codec.Encode("events", &e)
		key, err := sent.Key.Encode()
		require.NoError(t, err)
		value, err := sent.Value.Encode()
		require.NoError(t, err)
		w.batch.add(&sarama.ConsumerMessage{
			Topic: "events", Key: key, Value: value, Timestamp: now, Offset: int64(i),
			Partition: codec.PartitionOf(key, cfg.Partitions),
		}, reader, 1)
	}
	require.Empty(t, w.batch.deadLetters)
	require.Len(t, w.batch.rows, len(posts))
	return w
}

func texts() core.KeyForms { return core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys} }

func TestAnEventWithARefusedKeyIsADeadLetter(t *testing.T) {
	for _, refused := range []string{"user", "post b", "author"} {
		w := batchOf(t, &refusing{texts: []string{refused}}, texts(), "user", "author", "post a", "post b", "post c")
		require.NoError(t, w.admit(t.Context()))
		want := 3
		if refused == "post b" {
			want = 1
		}
		require.Len(t, w.batch.deadLetters, want, refused)
		require.Len(t, w.batch.rows, 3-want)
		for _, l := range w.batch.deadLetters {
			require.Equal(t, core.KeyCollision, l.Reason)
			require.Contains(t, l.Detail, refused)
		}
		for _, r := range w.batch.rows {
			require.NotEqual(t, refused, r.PostKey().Text)
		}
		o := w.batch.offsetRange()
		require.EqualValues(t, o.Last-o.First+1, o.Rows+o.Dead)
	}
}

func TestWhatIsStoredIsAdmittedAndNothingElse(t *testing.T) {
	asked := &refusing{texts: []string{"author"}}
	w := batchOf(t, asked, texts(), "user", "author", "post a", "post b")
	w.Posts = &posts.Posts{} // whose post it is, it says
	w.present[1] = counting.Decision{}
	require.NoError(t, w.admit(t.Context()))
	require.Len(t, w.batch.rows, 2)
	require.Len(t, asked.asked, 1)
	var names []string
	for _, k := range asked.asked[0] {
		names = append(names, k.Text)
	}
	require.Equal(t, []string{"user", "post a"}, names, "not of what is in the raw table")
}

func TestEventsWithIntegersAskForNoAdmission(t *testing.T) {
	asked := &refusing{}
	w := batchOf(t, asked, core.KeyForms{}, "7", "-1", "5", "6")
	require.NoError(t, w.admit(t.Context()))
	require.Empty(t, asked.asked)
	require.Len(t, w.batch.rows, 2)
	require.Nil(t, w.batch.rows[0].Texts)
}

func TestAFailedAdmissionLeavesTheBatchAsItIs(t *testing.T) {
	w := batchOf(t, &refusing{texts: []string{"user"}, err: errors.New("away")}, texts(), "user", "author", "post")
	require.Error(t, w.admit(t.Context()))
	require.Len(t, w.batch.rows, 1)
	require.Empty(t, w.batch.deadLetters)
}
