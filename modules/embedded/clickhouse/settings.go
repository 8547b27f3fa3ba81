//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"errors"
	"fmt"
	"strings"
)

// errSpoilt says that the session cannot be brought back to its own settings, so another must take its place.
var errSpoilt = errors.New("the session's settings cannot be restored")

// apply makes exactly these settings hold for the next statement. The engine's SET is as cheap as a call can be, but not free, so
// only what differs from the statement before is sent, and a client that always sends the same settings pays nothing.
func (s *session) apply(want []setting) error {
	target := make(map[string]setting, len(want))
	for _, w := range want {
		target[w.name] = w // as in the server, the last one counts
	}
	var restore, change []string
	for name := range s.set {
		if _, keep := target[name]; !keep {
			restore = append(restore, name)
		}
	}
	if err := s.restore(restore); err != nil {
		return err
	}
	for _, w := range want {
		if have, ok := s.set[w.name]; (!ok || have != w.value) && target[w.name] == w {
			change = append(change, w.name)
		}
	}
	if len(change) == 0 {
		return nil
	}
	clauses := make([]string, 0, len(change))
	for _, name := range change {
		s.set[name] = target[name].value
		clauses = append(clauses, name+" = "+quoteString(target[name].value))
	}
	if plainNames(change) && s.run("SET "+strings.Join(clauses, ", ")) == nil {
		return nil
	}
	// One of them is refused. Which one matters: an unknown setting may be ignored, a bad value may not.
	for i, name := range change {
		err := exceptionf(codeUnknownSetting, "Unknown setting '%s'", name)
		if plainNames(change[i : i+1]) {
			if e := s.run("SET " + clauses[i]); e != nil {
				err = asException(e)
			} else {
				continue
			}
		}
		delete(s.set, name)
		if err.code != codeUnknownSetting || target[name].important {
			return err
		}
	}
	return nil
}

// restore takes settings of a query back to the session's own.
func (s *session) restore(names []string) error {
	if len(names) == 0 {
		return nil
	}
	clauses := make([]string, 0, len(names))
	for _, name := range names {
		if value, ok := s.base[name]; ok {
			clauses = append(clauses, name+" = "+quoteString(value))
		} else {
			clauses = append(clauses, name+" = DEFAULT")
		}
	}
	if err := s.run("SET " + strings.Join(clauses, ", ")); err != nil {
		// For instance after readonly = 1, which forbids to change itself.
		return fmt.Errorf("%w: %w", errSpoilt, err)
	}
	for _, name := range names {
		delete(s.set, name)
	}
	return nil
}

// learn reads the session's own settings after the client changed them with a SET statement.
func (s *session) learn() error {
	text, err := s.text("SELECT name, value FROM system.settings WHERE changed")
	if err != nil {
		return err
	}
	base := sessionDefaults()
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		base[name] = unescapeTSV(value)
	}
	s.base = base
	return nil
}

// use makes a database current.
func (s *session) use(database string) error {
	if s.database == database {
		return nil
	}
	if err := s.run("USE " + quoteIdentifier(database)); err != nil {
		return err
	}
	s.database = database
	return nil
}

// settle makes the engine forget a failed statement, which it otherwise lists as running until the next one on this session.
func (s *session) settle() {
	if s.lingers && s.run("USE "+quoteIdentifier(s.database)) == nil {
		s.lingers = false
	}
}

func (s *session) run(sql string) error {
	r, err := s.exec(sql, "Null", nil)
	if err != nil {
		return err
	}
	r.free()
	return nil
}

// plainNames says whether names can stand in a statement as they are.
func plainNames(names []string) bool {
	for _, name := range names {
		if name == "" {
			return false
		}
		for i := range len(name) {
			if c := name[i]; !isWordByte(c) && c != '.' {
				return false
			}
		}
	}
	return true
}
