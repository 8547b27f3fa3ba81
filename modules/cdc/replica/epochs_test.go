package replica

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/kafka"
)

func TestATopicThatGrewOrWasMadeAnewBeginsAnEpoch(t *testing.T) {
	state := kafka.Topic{ID: "a", Ends: []int64{10, 20}}
	require.True(t, succeeds(state, Epoch{}))
	first, err := next(state, Epoch{})
	require.NoError(t, err)
	require.Equal(t, Epoch{Number: 1, TopicID: "a", Starts: []int64{0, 0}}, first)
	require.False(t, succeeds(state, first))

	grown := kafka.Topic{ID: "a", Ends: []int64{15, 25, 3}}
	require.True(t, succeeds(grown, first))
	second, err := next(grown, first)
	require.NoError(t, err)
	require.Equal(t, Epoch{Number: 2, TopicID: "a", Starts: []int64{15, 25, 0}}, second)
	epochs := Epochs{first, second}
	require.EqualValues(t, 1, epochs.Of(0, 14))
	require.EqualValues(t, 2, epochs.Of(0, 15))
	require.EqualValues(t, 2, epochs.Of(2, 0))

	anew := kafka.Topic{ID: "b", Ends: []int64{1, 1}}
	third, err := next(anew, second)
	require.NoError(t, err)
	require.Equal(t, Epoch{Number: 3, TopicID: "b", Starts: []int64{0, 0}}, third)
}
