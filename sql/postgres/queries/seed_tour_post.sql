-- Somebody writes a post, which is shown or is a draft ($3).
INSERT INTO posts (author_id, body, status) VALUES ($1, $2, $3) RETURNING id
