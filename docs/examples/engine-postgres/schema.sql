-- What engine.js keeps in PostgreSQL 13 or later. Each day, for idle topics: DELETE FROM chirp_topic WHERE time < chirp_now() - 86400000
CREATE TABLE IF NOT EXISTS chirp_topic (
  topic text PRIMARY KEY, epoch text NOT NULL DEFAULT replace(gen_random_uuid()::text, '-', ''),
  last bigint NOT NULL DEFAULT 0, history bigint NOT NULL DEFAULT 0, ttl double precision, time bigint NOT NULL);
CREATE TABLE IF NOT EXISTS chirp_event (
  topic text REFERENCES chirp_topic ON DELETE CASCADE, seq bigint, time bigint, id text, body text, PRIMARY KEY (topic, seq));
CREATE INDEX IF NOT EXISTS chirp_event_id ON chirp_event (topic, id) WHERE id IS NOT NULL;
CREATE TABLE IF NOT EXISTS chirp_value (
  topic text REFERENCES chirp_topic ON DELETE CASCADE, key text, seq bigint, time bigint, body text, PRIMARY KEY (topic, key));
CREATE OR REPLACE FUNCTION chirp_now() RETURNS bigint LANGUAGE sql AS $$ SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint $$;
-- The oldest place that a client can go on from. More rows may be there than the history promises.
CREATE OR REPLACE FUNCTION chirp_oldest(t chirp_topic) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce(min(seq) - 1, t.last) FROM chirp_event
  WHERE topic = t.topic AND seq > t.last - t.history AND (t.ttl IS NULL OR time > chirp_now() - t.ttl) $$;
-- Adds an event. The row of the topic is locked until the end, so the order of sequences is that of commits.
CREATE OR REPLACE FUNCTION chirp_publish(name text, data text, own text, keep bigint, life double precision, value text, removes boolean)
RETURNS chirp_topic LANGUAGE plpgsql AS $$ DECLARE t chirp_topic; BEGIN
  INSERT INTO chirp_topic AS c (topic, history, ttl, time) VALUES (name, keep, life, chirp_now())
    ON CONFLICT (topic) DO UPDATE SET history = keep, ttl = life RETURNING * INTO t;
  IF starts_with(own, t.epoch || '-') OR EXISTS (SELECT FROM chirp_event WHERE topic = name AND id = own AND seq >= chirp_oldest(t))
    THEN RAISE EXCEPTION 'the id is taken' USING ERRCODE = 'CHID0'; END IF;
  UPDATE chirp_topic SET last = last + 1, time = greatest(time, chirp_now()) WHERE topic = name RETURNING * INTO t;
  INSERT INTO chirp_event VALUES (name, t.last, t.time, own, data);
  -- One more than the history, for its id, and some for processes that have not read them yet.
  DELETE FROM chirp_event WHERE topic = name AND seq <= t.last - greatest(keep + 1, 1000);
  DELETE FROM chirp_value WHERE topic = name AND key = value;
  IF value IS NOT NULL AND NOT removes THEN INSERT INTO chirp_value VALUES (name, value, t.last, t.time, data); END IF;
  PERFORM pg_notify('chirp', name);
  RETURN t; END $$;
-- Where a cursor is: `start` is null when it is unknown. STABLE: all of it is one state of the tables.
CREATE OR REPLACE FUNCTION chirp_read(t chirp_topic, after text, most int, OUT start bigint, OUT brought text, OUT events json) LANGUAGE plpgsql STABLE AS $$ BEGIN
  IF after ~ ('^' || t.epoch || '-(0|[1-9][0-9]{0,15})$') THEN start := split_part(after, '-', 2);
  ELSE SELECT seq, body INTO start, brought FROM chirp_event WHERE topic = t.topic AND id = after ORDER BY seq DESC LIMIT 1; END IF;
  IF start NOT BETWEEN chirp_oldest(t) AND t.last THEN start := NULL; brought := NULL; END IF;
  SELECT json_agg(page) INTO events FROM
    (SELECT seq, time, body FROM chirp_event WHERE topic = t.topic AND seq > start ORDER BY seq LIMIT most) page; END $$;
