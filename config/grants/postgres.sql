-- What feedrank may do in the app's database, and nothing else. Run it in that database as its owner (who may
-- make roles with replication: a superuser, or your provider's equivalent), then give both roles passwords:
--
--   psql -v ON_ERROR_STOP=1 -d app -f config/grants/postgres.sql
--
-- Name your own tables in place of the example's. A test runs the whole program with these grants.

-- The program: reads the app's tables and its log, and writes the schema feedrank.
CREATE ROLE feedrank_app LOGIN REPLICATION;

-- `feedrank migrate`: makes the schema feedrank and what is in it. The program itself makes nothing.
CREATE ROLE feedrank_migrate LOGIN;

DO $$ BEGIN
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO feedrank_app, feedrank_migrate', current_database());
    EXECUTE format('GRANT CREATE ON DATABASE %I TO feedrank_migrate', current_database());
END $$;

GRANT USAGE ON SCHEMA public TO feedrank_app;
GRANT SELECT ON public.users, public.posts, public.follows, public.comments, public.likes, public.blocks, public.mutes TO feedrank_app;

-- The built-in source reads this publication (cdc.source.publication). Only the tables' owner can make it. It names the keys
-- and the mapped columns alone, so that nothing else leaves the database; PostgreSQL 14 has no such lists: leave them out there.
CREATE PUBLICATION feedrank FOR TABLE
    public.users (id, created_at),
    public.posts (id, author_id, created_at, status, deleted_at),
    public.follows (follower_id, followee_id, created_at),
    public.comments (id, post_id, author_id, created_at),
    public.likes (user_id, post_id, created_at),
    public.blocks (blocker_id, blocked_id, created_at),
    public.mutes (muter_id, muted_id, created_at)
    WITH (publish_via_partition_root = true);

CREATE SCHEMA feedrank AUTHORIZATION feedrank_migrate;
GRANT USAGE ON SCHEMA feedrank TO feedrank_app;
ALTER DEFAULT PRIVILEGES FOR ROLE feedrank_migrate IN SCHEMA feedrank GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO feedrank_app;
