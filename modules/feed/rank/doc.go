// Package rank decides which post stands before which: the score of a post for a user, and the variety of authors in a
// list. It is pure: the same input gives the same order.
//
// # Score
//
// weights.freshness · exp(−λ · hours) + weights.engagement · (engagement − disliked) + weights.affinity · affinity,
// with r(n, a) = log1p((n + a) / (max(exposures, n / max_rate) + b)):
//
//	engagement = r(likes + 2·comments + 3·shares, a)
//	disliked   = r(dislikes, 0): no post gains by a dislike, and one without any scores as if there were none
//
// Affinity with hides in the majority is −log1p(|w|): such an author stands after strangers. Affinity is cut for
// authors whom the viewer unfollowed, for as long as the deleted edge is in viewer_edges.
//
// # What few people can make of a post
//
// A person counts once for a post in each kind of reaction, so of the kind that there is most of there are as many
// people; a reaction that counts as five likes is one person's all the same. Only posts with a floor of people are in
// the lists of trending posts, and have their reactions counted in that of popular ones: ranking.engagement.min_people,
// or people_share of a day's reactions to all posts. The order, of the hot set, the job and the week alike, with i the
// weighted interactions:
//
//	log1p(i − dislikes) · (engagement − disliked) · exp(−decay · age)
//
// A post with fewer people than the floor, and than four times min_people, at a rate above max_rate counts no
// engagement: who did it never saw it. test/collude plays accounts that do all they can for a new post.
//
// # Variety
//
// At each place stands the best remaining post that breaks no rule. Where all break one, the least broken, in this
// order: three of an author in 50, once in the first 5, the gap of 3, then 2, 1, 0. Nothing is lost, and no list is
// short. Of the places a share may be kept for people whom the viewer follows and who post seldom (quiet_share,
// quiet_posts): there stands the best post of theirs that breaks no rule, wherever its score puts it. An author's posts
// wait for the place at which they break no rule, so no place goes through the whole list.
package rank
