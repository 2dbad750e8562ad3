-- Upstreams that want no requests for one model with a credential for a while, and take those for others. What is every model's is in upstream_pause.
create table upstream_model_pause (
  host       text not null,
  credential text not null,           -- its name; empty for none
  model      text not null,           -- as requests name it
  kind       text not null,
  until      timestamptz not null,
  primary key (host, credential, model)
);
