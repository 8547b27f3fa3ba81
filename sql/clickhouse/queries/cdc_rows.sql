-- Has this copy any row at all? From the counts of its parts: nothing is read.
SELECT count() AS n
FROM {copy:Identifier}
