-- What does the publication publish?
SELECT p.oid, p.puballtables, p.pubviaroot, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
       pg_has_role(p.pubowner, 'USAGE')
FROM pg_publication p
WHERE p.pubname = $1
