package config

import "crypto/rand"

// DevDefaults are settings for one machine and one person, under what they configure themselves.
func DevDefaults() []string {
	return []string{
		"auth.hs256_secret=" + rand.Text() + rand.Text(), // 52 characters, new at each start
		"log.format=console", "log.level=warn",
		"feed.explain=everybody",
		"feed.hot.recount_every=3s", // a seeded past shows soon; the world is small
		"events.bound.likes_per_day=0", "events.bound.comments_per_day=0", "events.bound.shares_per_day=0",
		"events.bound.others_per_hour=0", "events.bound.per_hour=0",
		"rate_limit.user_per_minute=0", "rate_limit.address_per_minute=0", // seeds, tours and benches are one person
	}
}
