-- Ends a statement that hangs. ASYNC: the caller looks for itself when it is gone.
KILL QUERY WHERE query_id = {id:String} ASYNC
