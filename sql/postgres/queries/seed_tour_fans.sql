-- People who may like something: neither the viewer nor their friends ($1).
SELECT id FROM users WHERE NOT id = ANY($1) ORDER BY id LIMIT $2
