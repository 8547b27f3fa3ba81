-- How many are erased? Whoever knows as many knows them all: nobody is ever taken off the list.
SELECT count() AS n FROM erased_users
