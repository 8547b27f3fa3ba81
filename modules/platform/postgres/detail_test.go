package postgres_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/postgres"
)

func TestWhatIsKeptOfAnErrorIsText(t *testing.T) {
	for text, want := range map[string]string{
		"as it is": "as it is", "a\x00b\xffc": "a?b?c", "1234567890123": "1234567890",
		"123456789é": "123456789", "12345678é": "12345678é",
	} {
		require.Equal(t, want, postgres.Detail(errors.New(text), 10), text)
	}
	require.Empty(t, postgres.Detail(nil, 10))
}
