package trending

import (
	"go.uber.org/fx"
)

// Module provides the job; the program puts it in its schedule. It needs Weights from the program.
func Module() fx.Option { return fx.Module("trending", fx.Provide(NewJob)) }

// ReaderModule provides the lists as they are published.
func ReaderModule() fx.Option { return fx.Module("trending lists", fx.Provide(NewPublished)) }
