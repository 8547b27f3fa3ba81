//go:build (linux || darwin) && !noembedded

package clickhouse

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// handshake lets the client in: hello, credentials, and the quota key that follows.
func (c *conn) handshake() error {
	if err := c.nc.SetReadDeadline(time.Now().Add(helloTimeout)); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	code, err := readUvarint(c.in)
	if err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if code != clientHello {
		// 'G' and 'P' begin a request of a browser that took this for the HTTP port.
		return c.explain(malformedf("packet %d instead of hello; this port speaks ClickHouse's native protocol", code))
	}
	h, err := readHello(c.in)
	if err != nil {
		return c.explain(fmt.Errorf("hello: %w", err))
	}
	if h.revision < revision {
		return c.explain(malformedf("protocol revision %d of client %q is too old, at least %d is needed", h.revision, h.name, revision))
	}
	if !c.authenticate(h) {
		e := exceptionf(codeAuthentication, "%s: Authentication failed: password is incorrect, or there is no user with such name.", h.user)
		c.refuse(e)
		return e
	}
	if c.database = h.database; c.database == "" {
		c.database = c.server.options.Database
	}
	c.putHello()
	if err := c.flush(); err != nil {
		return err
	}
	if _, err := readString(c.in, maxName); err != nil { // quota key
		return c.explain(fmt.Errorf("addendum: %w", err))
	}
	return c.nc.SetReadDeadline(time.Time{})
}

func (c *conn) authenticate(h hello) bool {
	o := c.server.options
	user := subtle.ConstantTimeCompare([]byte(h.user), []byte(o.User))
	password := subtle.ConstantTimeCompare([]byte(h.password), []byte(o.Password))
	return user&password == 1
}

func (c *conn) putHello() {
	version := engineVersion(c.server.engine.versionText)
	c.out = append(c.out, serverHello)
	c.out = appendString(c.out, "ClickHouse")
	c.out = binary.AppendUvarint(c.out, version[0])
	c.out = binary.AppendUvarint(c.out, version[1])
	c.out = binary.AppendUvarint(c.out, revision)
	c.out = appendString(c.out, c.server.engine.timezone)
	c.out = appendString(c.out, "embedded")
	c.out = binary.AppendUvarint(c.out, version[2])
}

// engineVersion splits 26.7.2.1 into numbers.
func engineVersion(text string) (v [3]uint64) {
	for i, part := range strings.SplitN(text, ".", 4) {
		if i < len(v) {
			v[i], _ = strconv.ParseUint(part, 10, 32)
		}
	}
	return v
}
