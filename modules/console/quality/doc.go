// Package quality plots how feeds did, day by day: a chart for each measure, and the numbers under them.
package quality
