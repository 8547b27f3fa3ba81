package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// hostPort tells whether an address of a server is one that can be dialled: host:port, where the host is an
// IPv4 address, an IPv6 address in brackets, or a name, with underscores or a dot at its end if it likes.
func hostPort(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return false
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Is4() || strings.HasPrefix(address, "[")
	}
	return !strings.HasPrefix(address, "[") && hostName(host)
}

// hostName tells whether a name can be looked up, as package net sees it.
func hostName(name string) bool {
	name = strings.TrimSuffix(name, ".")
	if name == "" || len(name) > 253 {
		return false
	}
	letters := false
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', c == '-':
				letters = true
			case c < '0' || c > '9':
				return false
			}
		}
	}
	return letters // four numbers would have been an address, and others are none
}
