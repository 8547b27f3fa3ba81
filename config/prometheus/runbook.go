// Package prometheus has what Prometheus and those who watch it need: alerts, and the runbook.
package prometheus

import _ "embed"

// Runbook says of each alert what it means, what to look at and what to do.
//
//go:embed runbook.md
var Runbook string
