-- Which time zone do sessions of the app's database begin in, where it was set for the database or for a role in it?
SELECT substr(setting, length('TimeZone=') + 1)
FROM pg_db_role_setting s
CROSS JOIN LATERAL unnest(s.setconfig) AS setting
LEFT JOIN pg_database d ON d.oid = s.setdatabase
WHERE (s.setdatabase = 0 OR d.datname = current_database()) AND setting ILIKE 'TimeZone=%'
  AND NOT (s.setdatabase = 0 AND s.setrole = 0)
ORDER BY s.setdatabase DESC, s.setrole
LIMIT 1
