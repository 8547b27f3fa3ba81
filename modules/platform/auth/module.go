package auth

import (
	"go.uber.org/fx"

	"github.com/feedrank/feedrank/modules/platform/httpserver"
)

// Module provides the verifier as the server's authenticator.
func Module() fx.Option {
	return fx.Module("auth", fx.Provide(
		NewVerifier,
		func(v *Verifier) httpserver.Authenticator { return v },
	), fx.Invoke(func(lc fx.Lifecycle, v *Verifier) {
		lc.Append(fx.StartStopHook(v.Start, v.Stop))
	}))
}
