-- Which mutations of our tables fail?
SELECT table, any(latest_fail_reason) AS reason FROM system.mutations
WHERE NOT is_done AND database = {database:String} AND latest_fail_reason != ''
GROUP BY table ORDER BY table
