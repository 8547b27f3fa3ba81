-- Who holds a fence, and has the next one been taken? Zero is nobody. Looks into the owners.
SELECT
    joinGet('partition_owners', 'token', {fence:UInt64}) AS token,
    joinGet('partition_owners', 'token', {fence:UInt64} + 1) AS next
