-- Which tables does the publication carry?
SELECT schemaname || '.' || tablename
FROM pg_publication_tables
WHERE pubname = $1
