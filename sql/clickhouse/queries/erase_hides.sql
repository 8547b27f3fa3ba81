-- Removes what hides has of people who are erased: where its columns name them, and where its key does, in
-- the places that the app's primary key has for them. Names nobody itself: a mutation is remembered for a while.
-- One query within another would be one too many: see modules/erase.
ALTER TABLE hides DELETE WHERE user_id IN (SELECT user_id FROM erased_users)
    OR arrayExists(place -> joinGet({erased_users:String}, 'erased', {{key_numbers}}[place]) = 1, {hide:Array(UInt8)})
