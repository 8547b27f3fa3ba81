// Package watch holds alerts and dashboards to a real Prometheus, Debian's: each alert fires and is silent as
// config/prometheus/alerts_test.yml says, and each panel shows something of a feedrank that runs. It carries the build
// tag real, like what is above it.
package watch
