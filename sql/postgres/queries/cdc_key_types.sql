-- What are these columns of a table, below a domain of the app: their type by number and as SQL writes it, and the
-- collation by which texts compare, empty where there is none, with whether it takes only the same bytes for the same
-- text. Reads the catalog by name.
WITH RECURSIVE below AS (
    SELECT a.attname, a.atttypid AS type, a.atttypmod AS modifier, a.attcollation AS collation
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname = $1 AND c.relname = $2 AND a.attname = ANY($3::text[]) AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT b.attname, t.typbasetype, t.typtypmod, b.collation
    FROM below b JOIN pg_type t ON t.oid = b.type AND t.typtype = 'd'
)
SELECT b.attname::text, b.type, format_type(b.type, b.modifier), COALESCE(l.collname::text, ''),
       COALESCE(l.collisdeterministic, true)
FROM below b
JOIN pg_type t ON t.oid = b.type AND t.typtype <> 'd'
LEFT JOIN pg_collation l ON l.oid = b.collation
