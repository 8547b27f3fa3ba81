package openapi

import "go.uber.org/fx"

// Module serves the document.
func Module() fx.Option {
	return fx.Module("openapi", fx.Provide(fx.Annotate(Routes, fx.ResultTags(`group:"routes,flatten"`))))
}
