-- Repositories, tasks, runs and their steps; the journal; workers. All in the schema `switchyard`, which the migrator has made.

create table repository (
  id          text primary key,      -- also the name of its git store
  path        text not null,
  common_dir  text unique,           -- its git directory, by which it is known again
  created_at  timestamptz not null
);

create table task (
  id          text primary key,
  title       text not null,
  body        text not null,
  links       jsonb not null default '[]',
  attachments jsonb not null default '[]',
  labels      text[] not null default '{}',
  priority    integer not null default 0,
  requester   text not null,
  origin      text unique,
  created_at  timestamptz not null
);

create table task_repository (
  task       text not null references task on delete cascade,
  position   integer not null,
  repository text not null references repository,
  base_ref   text not null,
  primary key (task, position)
);

create table task_dependency (
  task       text not null references task on delete cascade,
  depends_on text not null references task,
  primary key (task, depends_on)
);

-- The run row is the truth; events are its history.
create table run (
  id             text primary key,
  slug           text not null unique,
  task           text not null references task,
  repository     text not null references repository,
  state          jsonb not null,
  state_kind     text not null generated always as (state ->> 'kind') stored,
  state_before   jsonb,              -- of a discarded run
  blueprint      jsonb not null,     -- the copy that it started with
  flow           jsonb not null,
  settings       jsonb not null,     -- what was in force when it started
  base_ref       text not null,
  base_commit    text not null,
  target         text,
  head           text not null,
  delivered      text,               -- the commit that its branch in the person's repository stands on
  merged         jsonb,
  mergeable      text,               -- the head that a step has delivered, or what a person or a merge has made of it since
  merging        jsonb,              -- from where to where a merge was last about to move a branch, and the run's head by then
  consumed       jsonb not null,
  granted        jsonb not null default '{}',  -- added to a limit by a retry
  said           jsonb not null default '[]',  -- what is said only once in a run
  exposed        jsonb not null default '[]',  -- logins that lay within the walls of its agents: {agent, login, since}
  next_seq       bigint not null default 1,
  requester      text not null,
  priority       integer not null default 0,
  cancelling     boolean not null default false,
  opening        jsonb,              -- a person has taken it over by hand, or is about to
  decided        text,               -- the latest command of a person, by which it is known when it comes a second time
  forked_from    jsonb,              -- the step of another run up to which its history is that run's
  created_at     timestamptz not null,
  ended_at       timestamptz
);
create index run_by_state on run (state_kind, created_at desc);
create index run_by_age on run (created_at desc);
create index run_by_repository on run (repository, created_at desc);
create index run_by_prefix on run (id collate "C");
create index run_open on run (id) where opening is not null;
create index run_by_task on run (task);
create index run_due on run ((state #>> '{needs,until}')) where state_kind = 'parked' and state #>> '{needs,until}' is not null;

-- waiting -> admitted -> running -> ended. `lease` is the number of the attempt that may write. Whoever changes a step holds its run.
create table step (
  id         text primary key,
  position   bigint generated always as identity,  -- a run's steps in the order in which it came to them
  run        text not null references run,
  repository text not null,
  node       text not null,
  n          integer not null,
  kind       text not null,
  agentic    boolean not null,
  aside      boolean not null default false,  -- asked for by a person, outside the blueprint: a merge after the end
  follow_up  boolean not null default false,  -- entered for a person's message: goes on in the session of its node's latest step
  copied     boolean not null default false,  -- of the run that this one was forked from
  provider   text,
  requester  text not null,         -- of its run
  holds      text,                  -- what it has to itself in its repository while it works
  state      text not null,
  inputs     jsonb not null,
  lease      integer not null default 0,
  failures   integer not null default 0,
  job        uuid,
  queue      text,
  worker     text,
  outcome    text,
  detail     text,
  outputs    jsonb,
  checkpoint text,                  -- latest commit that holds its uncollected work
  kept       text,                  -- checkpoint at its end, with the session of its agent and carried files
  head       text,                  -- the run's head when it ended
  stood_on   text,                  -- the run's head when it began, where a person's hands have moved that since
  priority   integer not null default 0,
  since      timestamptz not null,  -- when its run began to wait or to work without a pause for a person
  created_at timestamptz not null,
  started_at timestamptz,
  ended_at   timestamptz,
  unique (run, node, n)
);
-- What admission looks at: the first of each group of equals, and whatever holds a place.
create index step_waiting on step (agentic, repository, coalesce(provider, ''), requester, coalesce(holds, ''), priority, since)
  where state = 'waiting';
create index step_at_work on step (id) where state in ('admitted', 'running') and job is not null;

create table attempt (
  step       text not null references step,
  n          integer not null,
  worker     text not null,
  namespaces text[] not null default '{}',  -- walls whose processes must be gone before the workspace is used again
  session    text,
  agent      text,
  told       integer not null default 0,    -- events that it has written
  seen_at    timestamptz not null,
  started_at timestamptz not null,
  ended_at   timestamptz,
  result     text,
  primary key (step, n)
);
create index attempt_open on attempt (worker) where ended_at is null;

create table session (
  run        text not null references run,
  node       text not null,
  agent      text not null,
  id         text not null,
  standing   text not null default 'own',  -- in a fork: 'inherited', to be forked itself, or 'handed-over' to another agent
  updated_at timestamptz not null,
  primary key (run, node)
);

-- What persons say to a run's agent. Waits until a turn takes it; is told again until a turn that held it has ended.
create table message (
  id           text primary key,    -- given by whoever sends it, so that sending it twice is once
  position     bigint generated always as identity,
  run          text not null references run,
  text         text not null,
  actor        jsonb not null,
  urgent       boolean not null,    -- the turn that is at work is interrupted for it
  answer       jsonb not null,      -- what was said to its sender
  sent_at      timestamptz not null,
  step         text references step,  -- that it was given to
  attempt      integer,             -- that has taken it
  delivered_at timestamptz,
  heard_at     timestamptz,
  quiet        boolean not null default false  -- told to whatever agent is next; the run does not go on for it
);
create index message_by_run on message (run, position);
create index message_by_step on message (step);
create index message_unheard on message (run, position) where heard_at is null;

create table event (
  run     text not null references run,
  seq     bigint not null,
  at      timestamptz not null,
  kind    text not null,
  actor   jsonb not null,
  payload jsonb not null,
  primary key (run, seq)
);

-- Agents' words and tool calls, many to a row, with a retention of their own.
create table transcript (
  run     text not null references run,
  seq     bigint not null,
  until   bigint not null,
  events  jsonb not null,
  primary key (run, seq)
);

create table evidence (
  run         text not null references run,
  commit      text not null,
  name        text not null,
  tree        text not null,
  kind        text not null,
  verdict     text not null,
  items       jsonb not null,
  report      text not null,
  duration_ms double precision not null,
  exposed     jsonb not null default '[]',  -- logins that were exposed in the run until then: {agent, login}
  at          timestamptz not null,
  primary key (run, commit, name)
);
create index evidence_by_tree on evidence (tree);

-- Effects that follow a commit: done at least once, each looks before it acts, those of a run one after the other. `worker` is the one
-- that must do it, if any; `taken_by` the one that is at it.
create table outbox (
  id         text primary key,       -- the idempotency key
  position   bigint generated always as identity,
  run        text not null references run,
  kind       text not null,
  worker     text,
  taken_by   text,
  failures   integer not null default 0,
  retry_at   timestamptz not null default '-infinity',
  created_at timestamptz not null,
  done_at    timestamptz
);
create index outbox_open on outbox (run, position) where done_at is null;

create table worker (
  id           text primary key,
  machine      text not null,
  pid          integer not null,
  version      text not null,
  started_at   timestamptz not null,
  heartbeat_at timestamptz not null
);

-- Requests to models that went through a gateway, each as it ended. No other row is referred to, and all that sums are made by is here: what
-- was spent was spent, and stays when its run, task or repository goes.
create table model_call (
  id            text primary key,     -- given by the gateway, so that recording it twice is once
  at            timestamptz not null, -- when it had ended: what windows of time go by
  run           text not null,
  task          text not null,
  step          text,
  attempt       integer,
  node          text,
  n             integer,
  agent         text,                 -- as the machine's configuration names it
  requester     text not null,
  repository    text not null,
  labels        text[] not null default '{}',  -- of the task, by then
  api           text not null,
  host          text not null,
  model         text,
  credential    text,
  status        integer,
  outcome       text not null,
  input         bigint,               -- tokens; null where nobody knows, all of them together
  cached        bigint,
  cache_write   bigint,
  output        bigint,
  reasoning     bigint,
  estimated     boolean not null,
  cost          double precision,     -- US dollars; null where nobody knows
  started_at    timestamptz not null,
  first_byte_ms double precision,
  duration_ms   double precision not null
);
create index model_call_by_run on model_call (run, at);
create index model_call_by_age on model_call (at);

-- The same by day (UTC), for each thing that a budget may be for. Written with each call, so that asking a budget before every call adds
-- up a few rows, however many calls there were.
create table model_day (
  per      text not null,             -- run task person label repository agent everything
  name     text not null,
  day      date not null,
  calls    bigint not null,
  tokens   bigint not null,
  cost     double precision not null, -- as far as prices are known
  unpriced bigint not null,           -- calls of which nobody knows what they cost
  primary key (per, name, day)
);

-- Upstreams of models that want no requests with a credential for a while: all workers wait.
create table upstream_pause (
  host       text not null,
  credential text not null,           -- its name; empty for none
  kind       text not null,
  until      timestamptz not null,
  primary key (host, credential)
);

-- What persons have added to a budget, for one of its windows.
create table budget_grant (
  position bigint generated always as identity primary key,
  budget   text not null,             -- its name
  whose    text not null,             -- the person, team, run …; empty for everything
  since    timestamptz not null,      -- when the window began; -infinity where there is only one
  tokens   bigint not null,
  cost     double precision not null,
  by       jsonb not null,            -- the actor
  at       timestamptz not null
);
create index budget_grant_by_window on budget_grant (budget, whose, since);
