-- What operators changed: who, when, what, before and after. Rows are only added; a trigger refuses the rest.
CREATE TABLE IF NOT EXISTS feedrank.admin_actions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    who        text NOT NULL, -- the subject of the token; of a command, the name of the user who ran it
    what       text NOT NULL, -- such as ranking.change
    target     text NOT NULL, -- what it was done to; empty: there is one only
    before     jsonb,
    after      jsonb,
    status     int NOT NULL,  -- of the answer; from 500 on it may have happened
    request_id text NOT NULL,
    address    text NOT NULL  -- from where; of a command, the machine
);
-- Erasing a person (feedrank erase) takes their id out of who and target, and nothing else.
-- No line of the body ends with a semicolon: that ends a statement of this file.
CREATE OR REPLACE FUNCTION feedrank.admin_actions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'UPDATE' OR NEW.who NOT IN (OLD.who, '(erased)') OR NEW.target NOT IN (OLD.target, '(erased)')
        OR to_jsonb(NEW) - 'who' - 'target' <> to_jsonb(OLD) - 'who' - 'target'
    THEN RAISE EXCEPTION 'feedrank.admin_actions is append-only' USING ERRCODE = 'insufficient_privilege'; END IF
    ; RETURN NEW; END
$$;
CREATE OR REPLACE TRIGGER admin_actions_stay BEFORE UPDATE OR DELETE ON feedrank.admin_actions
    FOR EACH ROW EXECUTE FUNCTION feedrank.admin_actions_stay();
CREATE OR REPLACE TRIGGER admin_actions_whole BEFORE TRUNCATE ON feedrank.admin_actions
    FOR EACH STATEMENT EXECUTE FUNCTION feedrank.admin_actions_stay();
