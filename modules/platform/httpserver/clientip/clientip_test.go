package clientip_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/feedrank/feedrank/modules/platform/httpserver/clientip"
)

func TestAllAddressesOfASubscriberAreOne(t *testing.T) {
	for text, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::",
		"2001:db8:1:3::": "2001:db8:1:3::", "::1": "::",
	} {
		require.Equal(t, netip.MustParseAddr(want), clientip.Subscriber(netip.MustParseAddr(text)), text)
	}
	require.False(t, clientip.Subscriber(netip.Addr{}).IsValid())
}
