package clientip

import "net/netip"

// Networks parses what the configuration has validated.
func Networks(cidrs []string) []netip.Prefix {
	out := make([]netip.Prefix, 0, len(cidrs))
	for _, cidr := range cidrs {
		if network, err := netip.ParsePrefix(cidr); err == nil {
			out = append(out, network)
		}
	}
	return out
}

// Within tells whether an address is in one of the networks.
func Within(addr netip.Addr, networks []netip.Prefix) bool {
	for _, network := range networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}
