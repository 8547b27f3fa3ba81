-- Somebody writes a post.
INSERT INTO posts (author_id, body) VALUES ($1, $2) RETURNING id, created_at
