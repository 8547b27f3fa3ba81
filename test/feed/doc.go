// Package feed tests the feed as its users meet it: a small world in the real servers, and its calls over HTTP.
// world_test.go makes a world, actions_test.go has what people do in it, client_test.go asks for feeds.
package feed
