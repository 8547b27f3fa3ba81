-- After a bulk load: the planner should know how big the tables are.
ANALYZE users, follows, posts, comments, likes, blocks, mutes
