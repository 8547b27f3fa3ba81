package provider_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/console/provider"
	"github.com/feedrank/feedrank/modules/core"
	"github.com/feedrank/feedrank/test/idp"
	"github.com/feedrank/feedrank/test/idp/certified"
)

func TestACertifiedProviderLogsOperatorsIn(t *testing.T) {
	cfg := provider.DefaultConfig()
	cfg.Issuer = certified.Start(t, idp.ClientID, idp.ClientSecret, here)
	cfg.ClientID, cfg.ClientSecret, cfg.RedirectURL = idp.ClientID, idp.ClientSecret, here
	cfg.AdminWhen, cfg.ReadWhen = []string{"ops"}, []string{"staff"}
	require.Empty(t, cfg.Check())
	p, err := provider.New(cfg, core.SystemClock{})
	require.NoError(t, err)
	logIn := func(name string) (provider.Operator, error) {
		address, cookie, err := p.Begin(t.Context(), "/console")
		require.NoError(t, err)
		back := certified.LogIn(t, address, name, here)
		who, _, err := p.Finish(t.Context(), cookie, back.Query())
		if err == nil { // a code holds once
			_, _, again := p.Finish(t.Context(), cookie, back.Query())
			refused(t, again, http.StatusUnauthorized, "does not take the login's code")
		}
		return who, err
	}
	who, err := logIn("ops-ana")
	require.NoError(t, err)
	require.Equal(t, provider.Operator{Name: "ops-ana@x.example"}, who)
	who, err = logIn("staff-eve")
	require.NoError(t, err)
	require.Equal(t, provider.Operator{Name: "staff-eve@x.example", Reads: true}, who)
	_, err = logIn("guests-mia")
	refused(t, err, http.StatusForbidden, "You may not open the console")
}
