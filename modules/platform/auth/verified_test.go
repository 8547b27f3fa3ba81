package auth_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/modules/platform/auth"
)

type movingClock struct{ at time.Time }

func (c *movingClock) Now() time.Time { return c.at }

func TestATokenThatIsRememberedExpiresAllTheSame(t *testing.T) {
	clock, cfg := &movingClock{now}, config()
	v, err := auth.NewVerifier(cfg, clock, prometheus.NewRegistry(), zap.NewNop())
	require.NoError(t, err)
	token, err := auth.Sign(cfg, 7, false, 10*time.Second, now)
	require.NoError(t, err)
	for range 2 {
		who, err := v.Authenticate(bearer("Bearer " + token))
		require.NoError(t, err)
		require.EqualValues(t, 7, who.UserID)
	}
	clock.at = now.Add(10*time.Second + cfg.Leeway)
	_, err = v.Authenticate(bearer("Bearer " + token))
	require.Equal(t, core.CodeUnauthenticated, core.CodeOf(err))
	require.ErrorContains(t, err, "expired")
}

// What a request with a known token allocates is the guard: verifying it anew takes about 60.
func TestATokenIsTakenApartOnce(t *testing.T) {
	clock, cfg := &movingClock{now}, config()
	v, err := auth.NewVerifier(cfg, clock, prometheus.NewRegistry(), zap.NewNop())
	require.NoError(t, err)
	token, err := auth.Sign(cfg, 7, false, time.Hour, now)
	require.NoError(t, err)
	header := bearer("Bearer " + token)
	authenticate := func() {
		if _, err := v.Authenticate(header); err != nil {
			t.Fatal(err)
		}
	}
	require.LessOrEqual(t, testing.AllocsPerRun(100, authenticate), 4.0)
	clock.at = now.Add(2 * time.Minute)
	require.Greater(t, testing.AllocsPerRun(1, func() {
		clock.at = clock.at.Add(2 * time.Minute) // longer ago than it is remembered
		authenticate()
	}), 20.0, "verified anew, so that a key that was withdrawn is noticed")
}
