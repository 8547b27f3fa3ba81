-- Does the publication carry whole schemas? Since PostgreSQL 15; such a one takes no columns.
SELECT EXISTS (SELECT FROM pg_publication_namespace n JOIN pg_publication p ON p.oid = n.pnpubid WHERE p.pubname = $1)
