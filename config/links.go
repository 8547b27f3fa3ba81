package config

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// link is the shape of what Kubernetes (and Docker's old links) put into the environment for a service whose
// name begins with ours: FEEDRANK_SERVICE_HOST, FEEDRANK_API_PORT_8080_TCP_ADDR and so on.
var link = regexp.MustCompile(`^FEEDRANK_(?:[A-Z0-9]+_)*(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)?)$`)

// linkURL is where a service is.
var linkURL = regexp.MustCompile(`^(?:tcp|udp|sctp)://[^/@]+$`)

// isLink tells whether a variable tells of a service rather than being a setting: by its name and its value.
func isLink(name, value string) bool {
	if !link.MatchString(name) {
		return false
	}
	switch {
	case strings.HasSuffix(name, "_HOST"), strings.HasSuffix(name, "_ADDR"):
		_, err := netip.ParseAddr(value)
		return err == nil
	case strings.HasSuffix(name, "_PROTO"):
		return value == "tcp" || value == "udp" || value == "sctp"
	case strings.Contains(name, "_SERVICE_PORT"), strings.HasSuffix(name, "_TCP_PORT"),
		strings.HasSuffix(name, "_UDP_PORT"), strings.HasSuffix(name, "_SCTP_PORT"):
		_, err := strconv.ParseUint(value, 10, 16)
		return err == nil
	default:
		return linkURL.MatchString(value)
	}
}

// ServiceLinks are the variables that are passed over because the platform made them.
func ServiceLinks(env []string) (names []string) {
	for _, entry := range env {
		if name, value, _ := strings.Cut(entry, "="); isLink(name, value) {
			names = append(names, name)
		}
	}
	return names
}
