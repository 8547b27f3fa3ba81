// Package harness is what benches are made with. It runs `feedrank serve` as a process of its own beside the
// servers, puts load on it, counts what each process uses, and keeps what was found in a report.
package harness
