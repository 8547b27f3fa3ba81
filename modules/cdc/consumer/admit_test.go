package consumer

import (
	"context"
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/cdc/mapping"
	"github.com/feedrank/feedrank/modules/core"
)

// refusing is an admission that refuses some texts.
type refusing struct {
	texts []string
	err   error
	asked []core.Key
}

func (r *refusing) Admit(_ context.Context, keys []core.Key) (core.RefusedKeys, error) {
	r.asked = append(r.asked, keys...)
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

// nobodyBut is who is erased.
type nobodyBut core.ID

func (n nobodyBut) Has(id core.ID) bool         { return id == core.ID(n) }
func (nobodyBut) Refresh(context.Context) error { return nil }

func writerWith(keys core.Admission, erased core.Erased) *writer {
	return &writer{
		target: target{
			keys: keys, erased: erased, clock: core.SystemClock{}, log: zap.NewNop(),
			metrics: newMetrics(prometheus.NewRegistry(), core.SystemClock{}),
		},
		table: "public.follows", prepared: true,
	}
}

const (
	anna = `{"follower_id":"anna","followee_id":"bert"}`
	cleo = `{"follower_id":"cleo","followee_id":"bert"}`
)

func followOf(key string) string {
	return `{"op":"c","after":` + key[:len(key)-1] + `,"created_at":"2026-01-01T00:00:00Z"},"source":{"schema":"public","table":"follows"}}`
}

func textMapping() mapping.Config {
	c := mapping.Default()
	c.Keys = core.KeyForms{Users: core.TextKeys, Posts: core.TextKeys}
	return c
}

func TestARecordWithARefusedKeyIsADeadLetterAsAWhole(t *testing.T) {
	d, b := decoderOf(t, textMapping(), "public.follows"), &batch{}
	d.reads(t, b, [2]string{anna, followOf(anna)}, [2]string{cleo, followOf(cleo)})
	require.Len(t, b.entries, 2)
	w := writerWith(&refusing{texts: []string{"cleo"}}, core.NobodyErased{})
	for range 2 { // it is an attempt's first step, and comes again with each
		require.NoError(t, w.admit(t.Context(), []*job{{batch: b}}))
		require.Len(t, b.entries, 1)
		require.Len(t, b.deadLetters, 1)
	}
	require.Equal(t, "bert:anna", b.entries[0].row.Key)
	require.Equal(t, core.KeyCollision, b.deadLetters[0].Reason)
	require.Contains(t, b.deadLetters[0].Detail, "cleo")
	require.InDelta(t, 1, testutil.ToFloat64(w.metrics.deadLetters.WithLabelValues(w.table, core.KeyCollision)), 0)
}

func TestKindsThatShareATableShareTheRefusalOfAKey(t *testing.T) {
	d, b := decoderOf(t, textMapping(), "public.follows"), &batch{}
	d.sources = append(d.sources, d.sources[0])
	d.reads(t, b, [2]string{cleo, followOf(cleo)}, [2]string{anna, followOf(anna)})
	require.Len(t, b.entries, 4)
	b.entries[1].row.Keys = nil // of the other kind it names nobody
	require.NoError(t, writerWith(&refusing{texts: []string{"cleo"}}, core.NobodyErased{}).admit(t.Context(),
		[]*job{{batch: b}}))
	for _, e := range b.entries {
		require.Equal(t, "bert:anna", e.row.Key)
	}
	require.Len(t, b.deadLetters, 1)
}

func TestNoKeyOfSomebodyErasedIsAdmitted(t *testing.T) {
	d, b := decoderOf(t, textMapping(), "public.follows"), &batch{}
	d.reads(t, b, [2]string{anna, followOf(anna)}, [2]string{cleo, followOf(cleo)})
	cleos, err := core.ParseID("cleo")
	require.NoError(t, err)
	keys := &refusing{}
	require.NoError(t, writerWith(keys, nobodyBut(cleos)).admit(t.Context(), []*job{{batch: b}}))
	require.Len(t, keys.asked, 2, "of anna's follow")
	require.Len(t, b.entries, 2, "merging leaves it out")
}

func TestIntegersAskForNoAdmission(t *testing.T) {
	d, b := decoderOf(t, mapping.Default(), "public.follows"), &batch{}
	d.reads(t, b, [2]string{aKey, aFollow})
	keys := &refusing{err: errors.New("asked")}
	require.NoError(t, writerWith(keys, core.NobodyErased{}).admit(t.Context(), []*job{{batch: b}}))
	require.Nil(t, b.entries[0].record)
	require.Nil(t, b.entries[0].row.Keys)
}

func TestAFailedAdmissionIsTheBatchs(t *testing.T) {
	d, b := decoderOf(t, textMapping(), "public.follows"), &batch{}
	d.reads(t, b, [2]string{anna, followOf(anna)})
	require.Error(t, writerWith(&refusing{err: errors.New("away")}, core.NobodyErased{}).admit(t.Context(),
		[]*job{{batch: b}}))
	require.Len(t, b.entries, 1)
}

func TestARowOfTheAppThatNamesARefusedKeyIsGoneForUs(t *testing.T) {
	rows := map[string]mapping.Row{
		"a": {Key: "a", ID: 1, First: 5, Keys: []core.Key{{ID: 5, Text: "cleo"}}},
		"b": {Key: "b", ID: 2, First: 6, Keys: []core.Key{{ID: 6, Text: "anna"}}},
	}
	w := writerWith(&refusing{texts: []string{"cleo"}}, core.NobodyErased{})
	require.NoError(t, w.admitRows(t.Context(), rows))
	require.Equal(t, mapping.Row{Key: "a", ID: 1, Gone: true}, rows["a"])
	require.False(t, rows["b"].Gone)
}
