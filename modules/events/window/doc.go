// Package window has a bounded memory of the latest keys.
package window
