-- Does the app's database hold anything that a seeded world would meet? Reads the first rows only.
SELECT EXISTS (SELECT FROM users) OR EXISTS (SELECT FROM posts)
