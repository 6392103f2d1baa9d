-- The zones of the warehouse: schemas, who owns them, who may enter, and the tables that belong to no one feed.
-- Run by the administrator; every statement can be run again. Feed tables come from the contracts (contracts/ddl.py),
-- modelled tables from dbt.

create schema if not exists landing        authorization wh_loader;
create schema if not exists quarantine     authorization wh_loader;
create schema if not exists vault          authorization wh_loader;
create schema if not exists source         authorization wh_loader;
create schema if not exists linkage        authorization wh_linker;
create schema if not exists reference      authorization wh_transformer;
create schema if not exists staging        authorization wh_transformer;
create schema if not exists intermediate   authorization wh_transformer;
create schema if not exists marts_blue     authorization wh_transformer;
create schema if not exists marts_green    authorization wh_transformer;
create schema if not exists estimates_blue  authorization wh_transformer;
create schema if not exists estimates_green authorization wh_transformer;
create schema if not exists published_blue  authorization wh_transformer;
create schema if not exists published_green authorization wh_transformer;
create schema if not exists marts          authorization wh_transformer;
create schema if not exists published      authorization wh_transformer;
create schema if not exists ops;

-- Identifiers: written by the loader when it splits a delivery, read by the linker, by no one else.
grant usage on schema vault to wh_linker;
alter default privileges for role wh_loader in schema vault grant select on tables to wh_linker;
-- Attributes: read by the transformer alone.
grant usage on schema source to wh_transformer;
alter default privileges for role wh_loader in schema source grant select on tables to wh_transformer;
-- Refused rows: for the data steward.
grant usage on schema quarantine to wh_steward;
alter default privileges for role wh_loader in schema quarantine grant select on tables to wh_steward;
-- Marts and published aggregates.
grant usage on schema marts to wh_analyst;
alter default privileges for role wh_transformer in schema marts grant select on tables to wh_analyst;
grant usage on schema published to wh_analyst, wh_bi;
alter default privileges for role wh_transformer in schema published grant select on tables to wh_analyst, wh_bi;
grant usage on schema reference to wh_loader, wh_linker, wh_analyst, wh_bi, wh_steward, wh_engineer;
alter default privileges for role wh_transformer in schema reference
    grant select on tables to wh_loader, wh_linker, wh_analyst, wh_bi, wh_steward, wh_engineer;
-- A transaction that someone forgot to end holds the views it read, and with them the publication of the night.
alter role wh_analyst set idle_in_transaction_session_timeout = '10min';
alter role wh_bi set idle_in_transaction_session_timeout = '10min';
-- Operations: counts and keys only; every stage writes what it did, engineers, analysts and stewards read.
grant usage on schema ops to wh_loader, wh_linker, wh_transformer, wh_engineer, wh_analyst, wh_steward;

create table if not exists ops.delivery (
    delivery_id  bigint generated always as identity primary key,
    feed         text not null,
    night        date not null,
    content_hash text not null,
    status       text not null default 'received',
    message      text,
    received_at  timestamptz not null default now(),
    finished_at  timestamptz,
    run_id       text,
    coverage_end date
);
-- received -> loaded -> checked -> admitted is the way of a good delivery. duplicate: the same content came before. refused:
-- it broke a rule of the delivery as a whole. superseded: another delivery of the same night replaced it. rejected: an
-- engineer withdrew it.
alter table ops.delivery drop constraint if exists delivery_status_check;
alter table ops.delivery add constraint delivery_status_check
    check (status in ('received', 'loaded', 'checked', 'admitted', 'duplicate', 'refused', 'superseded', 'rejected'));
alter table ops.delivery add column if not exists superseded_by bigint;
alter table ops.delivery add column if not exists contract_hash text;
comment on column ops.delivery.superseded_by is 'The delivery of the same night that replaced this one';
comment on column ops.delivery.contract_hash is 'Hash of the contract and suite under which the delivery was last checked';
comment on column ops.delivery.coverage_end is 'The last date whose events the delivery can hold: its night less the feed''s coverage lag; the night itself where empty';
comment on table ops.delivery is 'One row per delivery of an agency: what came, when, and what became of it';
drop index if exists ops.delivery_content;
create unique index if not exists delivery_content_open on ops.delivery (feed, content_hash)
    where status not in ('refused', 'duplicate', 'superseded', 'rejected');
create unique index if not exists delivery_admitted_night on ops.delivery (feed, night) where status = 'admitted';
create index if not exists delivery_feed_night on ops.delivery (feed, night);

create table if not exists ops.delivery_file (
    delivery_id      bigint not null references ops.delivery,
    table_name       text not null,
    file_name        text not null,
    bytes            bigint not null,
    sha256           text not null,
    rows_received    bigint,
    rows_admitted    bigint,
    rows_quarantined bigint,
    rows_unchanged   bigint,
    primary key (delivery_id, table_name, file_name)
);
alter table ops.delivery_file add column if not exists rows_erased bigint;
alter table ops.delivery_file add column if not exists redacted_at timestamptz;
alter table ops.delivery_file add column if not exists rows_redacted bigint not null default 0;
comment on column ops.delivery_file.rows_redacted is 'Of the erased rows, those that have left the landed copy too; the numbers of the rows after them are lower since';
comment on column ops.delivery_file.rows_erased is 'Rows of people whose data of the feed have been erased: kept nowhere';
comment on column ops.delivery_file.redacted_at is 'When rows were last taken out of the landed copy, which then no longer has the hash it came with';
comment on table ops.delivery_file is 'One row per file of a delivery, with what became of its rows';

create table if not exists ops.check_result (
    delivery_id  bigint not null references ops.delivery,
    table_name   text not null,
    rule         text not null,
    column_name  text,
    severity     text not null check (severity in ('refuse', 'quarantine', 'warn')),
    checked_rows bigint,
    failed_rows  bigint not null,
    message      text not null,
    primary key (delivery_id, table_name, rule)
);
comment on table ops.check_result is 'One row per delivery, table and rule: how many rows were checked and how many failed; never a value';

create table if not exists ops.delivery_profile (
    delivery_id bigint not null references ops.delivery,
    table_name  text not null,
    column_name text not null,
    metric      text not null,
    item        text not null default '',
    value       double precision not null,
    primary key (delivery_id, table_name, column_name, metric, item)
);
comment on table ops.delivery_profile is
    'One row per delivery, table, column and measure (share filled; share of each code of the code list): what drift is judged against';

create table if not exists ops.erasure (
    erasure_id    bigint generated always as identity primary key,
    feed          text not null,
    record_key    uuid not null,
    reason        text not null check (reason in ('erasure request', 'consent withdrawn')),
    delivery_id   bigint,
    requested_on  date not null,
    requested_by  text not null,
    registered_at timestamptz not null default now(),
    finished_at   timestamptz,
    removed       jsonb not null default '{}',
    lifted_at     timestamptz
);
alter table ops.erasure add column if not exists key_name text not null default 'record_key';
alter table ops.erasure add column if not exists lifted_by text;
comment on column ops.erasure.key_name is 'Which key of the feed record_key holds: record_key, or the key of something (a case) that only erased records belong to';
create index if not exists erasure_record on ops.erasure (feed, record_key);
create index if not exists erasure_pending on ops.erasure (feed) where finished_at is null;
comment on table ops.erasure is 'One row per record whose data of a feed were erased: which key, why, when, and how many rows left each zone';

create table if not exists ops.night_feed (
    night        date not null,
    feed         text not null,
    delivery_id  bigint,
    last_night   date,
    coverage_end date,
    due_on       date,
    is_stale     boolean not null,
    reason       text not null,
    primary key (night, feed)
);
comment on table ops.night_feed is 'One row per night and feed: what the night was built on, and whether the feed was late against its cadence';

create table if not exists ops.alert (
    alert_id bigint generated always as identity primary key,
    at       timestamptz not null default now(),
    night    date,
    source   text not null,
    message  text not null,
    sent     boolean not null default false
);
comment on table ops.alert is 'One row per alert raised, with whether it could be sent; never a value';

create table if not exists ops.retention_run (
    ran_at  timestamptz not null default now(),
    night   date not null,
    zone    text not null,
    older   date not null,
    removed bigint not null
);
comment on table ops.retention_run is 'One row per zone and run of the retention: what was older than the zone keeps, and how much was removed';

create table if not exists ops.inbox_file (
    feed        text   not null,
    file_name   text   not null,
    bytes       bigint not null,
    modified_ns bigint not null,
    changed_ns  bigint not null,
    delivery_id bigint not null references ops.delivery,
    primary key (feed, file_name, bytes, modified_ns, changed_ns)
);
comment on table ops.inbox_file is 'One row per state of a file of an inbox that was taken, and the delivery it came in: the same state is not read again';

create table if not exists ops.stage_run (
    stage_run_id bigint generated always as identity primary key,
    night        date not null,
    stage        text not null,
    feed         text,
    started_at   timestamptz not null default now(),
    ended_at     timestamptz,
    status       text not null default 'running' check (status in ('running', 'ok', 'failed')),
    counts       jsonb not null default '{}',
    error        text
);
comment on table ops.stage_run is 'One row per run of a stage: timing, outcome and counts';
create index if not exists stage_run_night on ops.stage_run (night, stage);

create table if not exists ops.linkage_metric (
    night  date not null,
    metric text not null,
    feed_a text not null default '',
    feed_b text not null default '',
    value  double precision not null,
    primary key (night, metric, feed_a, feed_b)
);
comment on table ops.linkage_metric is 'One row per night, measure and (where it applies) pair of feeds';

create table if not exists ops.linkage_approval (
    night       date not null,
    guard       text not null,
    reason      text not null,
    approved_by text not null,
    approved_at timestamptz not null default now(),
    primary key (night, guard)
);
comment on table ops.linkage_approval is 'One row per night and guard of linkage that somebody has let pass, and why';

create table if not exists ops.publication (
    publication_id bigint generated always as identity primary key,
    night          date not null,
    slot           text not null check (slot in ('blue', 'green')),
    published_at   timestamptz not null default now(),
    is_live        boolean not null
);
comment on table ops.publication is 'One row per publication: which night the marts show and in which slot they lie';
create unique index if not exists publication_live on ops.publication (is_live) where is_live;

create or replace view ops.feed_coverage as
select distinct on (feed)
    feed,
    coalesce(coverage_end, night) as coverage_end,
    delivery_id as last_delivery_id,
    night       as last_night
from ops.delivery
where status = 'admitted'
order by feed, night desc, delivery_id desc;
comment on view ops.feed_coverage is 'One row per feed: the last date its events are known for';

create or replace function ops.feed_coverage_as_at(night date)
returns table (feed text, coverage_end date, last_delivery_id bigint, last_night date) language sql stable as $body$
    select distinct on (d.feed) d.feed, coalesce(d.coverage_end, d.night), d.delivery_id, d.night
    from ops.delivery as d
    where d.status = 'admitted' and d.night <= $1
    order by d.feed, d.night desc
$body$;
comment on function ops.feed_coverage_as_at(date) is 'One row per feed: the last date its events were known for after the deliveries of a night';

grant select, insert, update on all tables in schema ops to wh_loader, wh_linker, wh_transformer;
grant select on all tables in schema ops to wh_engineer, wh_analyst, wh_steward;
grant delete on ops.check_result, ops.delivery_file, ops.delivery_profile to wh_loader;
grant delete on ops.linkage_metric to wh_linker;

create table if not exists quarantine.refused_row (
    delivery_id bigint not null,
    feed        text not null,
    table_name  text not null,
    row_number  bigint not null,
    rules       text[] not null,
    raw         jsonb not null,
    refused_at  timestamptz not null default now(),
    primary key (delivery_id, table_name, row_number)
);
alter table quarantine.refused_row add column if not exists record_key uuid;
create index if not exists refused_row_record on quarantine.refused_row (record_key);
comment on column quarantine.refused_row.record_key is 'The agency record the row belongs to, where its key could be made';
comment on table quarantine.refused_row is 'One row per refused row of a delivery, as it came, with the rules it broke';
alter table quarantine.refused_row owner to wh_loader;
grant select on quarantine.refused_row to wh_steward;

create table if not exists linkage.person (
    person_id   uuid primary key default gen_random_uuid(),
    first_night date not null
);
comment on table linkage.person is 'One row per person id ever given; ids are random and never used twice';
create table if not exists linkage.person_link (
    record_key  uuid not null,
    feed        text not null,
    person_id   uuid not null,
    _valid_from date not null,
    _valid_to   date,
    primary key (record_key, _valid_from)
);
comment on table linkage.person_link is 'Which person an agency record belongs to, with history; current where _valid_to is null';
create table if not exists linkage.person_event (
    night           date not null,
    event           text not null check (event in ('created', 'merged', 'split', 'retired')),
    person_id       uuid not null,
    other_person_id uuid
);
comment on table linkage.person_event is 'What happened to person ids on a night: created, merged into another, split from another, retired';
create table if not exists linkage.edge (
    night             date not null,
    record_key_l      uuid not null,
    record_key_r      uuid not null,
    model             text not null,
    match_weight      double precision not null,
    match_probability double precision not null,
    match_key         integer
);
comment on table linkage.edge is 'One row per scored pair of records above the lowest threshold on the latest night';
-- The links of each certainty stand side by side, with ids of their own.
alter table linkage.person add column if not exists certainty text not null default 'balanced' check (certainty in ('strict', 'balanced', 'inclusive'));
alter table linkage.person_link add column if not exists certainty text not null default 'balanced' check (certainty in ('strict', 'balanced', 'inclusive'));
alter table linkage.person_event add column if not exists certainty text not null default 'balanced' check (certainty in ('strict', 'balanced', 'inclusive'));
do $body$ begin
    if not exists (select from pg_constraint where conrelid = 'linkage.person_link'::regclass and conname = 'person_link_key') then
        alter table linkage.person_link drop constraint if exists person_link_pkey;
        alter table linkage.person_link add constraint person_link_key primary key (record_key, certainty, _valid_from);
        drop index if exists linkage.person_link_current;
    end if;
end $body$;
create unique index if not exists person_link_current on linkage.person_link (record_key, certainty) where _valid_to is null;
-- A night's change, and the records of its persons, are found without reading every link that ever was.
create index if not exists person_link_person on linkage.person_link (person_id);
create index if not exists person_link_began on linkage.person_link (_valid_from);
create index if not exists person_link_ended on linkage.person_link (_valid_to) where _valid_to is not null;
create index if not exists person_first_night on linkage.person using brin (first_night);
create index if not exists person_event_night on linkage.person_event using brin (night);
alter table linkage.edge add column if not exists level smallint;
comment on column linkage.edge.night is 'The night since which the pair has had this score';
comment on column linkage.edge.level is 'The strictest certainty at which the edge joins its records: 1 strict, 2 balanced, 3 inclusive';
create table if not exists linkage.resolved_night (
    night   date primary key,
    copy_id uuid
);
comment on table linkage.resolved_night is 'One row per night whose links were written; copy_id names the file copy of the links and edges as they stood after it';
insert into linkage.resolved_night (night)
select greatest(max(_valid_from), max(_valid_to)) from linkage.person_link
where not exists (select from linkage.resolved_night)
having max(_valid_from) is not null;

create or replace function linkage.person_link_as_at(night date, certainty text default 'balanced')
returns table (record_key uuid, feed text, person_id uuid) language sql stable as $body$
    select l.record_key, l.feed, l.person_id
    from linkage.person_link as l
    where l.certainty = $2 and l._valid_from <= $1 and (l._valid_to is null or l._valid_to > $1)
$body$;
comment on function linkage.person_link_as_at(date, text) is 'One row per agency record: the person it belonged to after a night, at a certainty';

create or replace view linkage.person_successor as
with recursive merged as (
    select person_id, certainty, other_person_id as successor_id, night from linkage.person_event where event = 'merged'
    union all
    select m.person_id, m.certainty, e.other_person_id, e.night
    from merged as m inner join linkage.person_event as e on e.person_id = m.successor_id and e.event = 'merged'
)
select distinct on (person_id) person_id, certainty, successor_id, night from merged order by person_id, night desc;
comment on view linkage.person_successor is 'One row per person id that was merged away: the id that its records went to in the end, and the night of the last merge';

alter table linkage.person owner to wh_linker;
alter table linkage.resolved_night owner to wh_linker;
alter view linkage.person_successor owner to wh_linker;
alter function linkage.person_link_as_at(date, text) owner to wh_linker;
alter table linkage.person_link owner to wh_linker;
alter table linkage.person_event owner to wh_linker;
alter table linkage.edge owner to wh_linker;
grant usage on schema linkage to wh_transformer;
grant select on linkage.person_link to wh_transformer;
