-- Clerical review of the links. Run by the linker, who owns the schema; every statement can be run again.
-- Record keys, weights and verdicts alone: a person's values are read from the vault when the page is opened, by the function
-- below, and are kept nowhere else.

create table if not exists linkage.review_stratum (
    night         date not null,
    stratum       text not null,
    kind          text not null check (kind in ('named', 'minimal')),
    frame         text not null,
    level         integer,
    low           double precision,
    high          double precision,
    counted_pairs bigint not null,
    counted_share double precision not null,
    drawn_pairs   integer not null,
    primary key (night, stratum)
);
alter table linkage.review_stratum drop constraint if exists review_stratum_frame_check;
alter table linkage.review_stratum add constraint review_stratum_frame_check
    check (frame in ('linked', 'joined', 'cut', 'guarded', 'scored', 'missed'));
comment on table linkage.review_stratum is 'One row per night and stratum that pairs for review were drawn from';
comment on column linkage.review_stratum.frame is
    'linked: an edge within a person; joined: one person without an edge; cut: an edge that a conflict overrules; guarded: rejected by the'
    ' twin guard; scored: compared, too light to keep; missed: nominated by no blocking rule';
comment on column linkage.review_stratum.level is 'Strictest certainty at which its pairs are one person: 1 strict, 2 balanced, 3 inclusive; empty where they never are';
comment on column linkage.review_stratum.low is 'Score of its lightest pairs, in bits, and of its heaviest in `high`; empty where open or not scored';
comment on column linkage.review_stratum.counted_pairs is 'Pairs of the stratum that were counted, in a random `counted_share` of the records';

create table if not exists linkage.review_pair (
    night        date not null,
    pair_id      uuid not null default gen_random_uuid() unique,
    record_key_l uuid not null,
    record_key_r uuid not null,
    records_l    uuid[] not null,
    records_r    uuid[] not null,
    stratum      text not null,
    place        integer not null,
    primary key (night, record_key_l, record_key_r)
);
comment on table linkage.review_pair is 'One row per night and pair drawn for review, in the random order in which pairs are shown';
comment on column linkage.review_pair.records_l is 'The records shown as one side: the record itself, or all that were pooled into its client or person';

create table if not exists linkage.review_decision (
    night        date not null,
    record_key_l uuid not null,
    record_key_r uuid not null,
    verdict      text not null check (verdict in ('same', 'different', 'cannot tell')),
    steward      text not null,
    decided_at   timestamptz not null default now(),
    primary key (night, record_key_l, record_key_r, steward)
);
comment on table linkage.review_decision is 'One row per reviewed pair and steward: whether the two are one person; a later verdict of the same steward replaces it';

create table if not exists linkage.review_source (
    relation    text not null,
    role        text not null,
    column_name text not null,
    primary key (relation, role)
);
comment on table linkage.review_source is 'Which column of which vault relation plays which role in linkage, from the contracts';

create table if not exists linkage.review_access (
    at      timestamptz not null default now(),
    login   text not null default session_user,
    steward text not null,
    purpose text not null check (purpose in ('review', 'explain')),
    night   date not null,
    records bigint not null
);
comment on table linkage.review_access is 'One row per time that a steward was shown identifiers: who, for what, how many records';

-- The identifiers of the pairs drawn for a night and of no other record: all that the steward's login can see of the vault.
create or replace function linkage.review_values(sample_night date, steward_name text)
returns table (record_key uuid, relation text, identifiers jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $body$
#variable_conflict use_column
declare
    source record;
begin
    insert into linkage.review_access (steward, purpose, night, records)
    select steward_name, 'review', sample_night, count(distinct k.record_key)
    from linkage.review_pair as p cross join lateral unnest(p.records_l || p.records_r) as k (record_key)
    where p.night = sample_night;
    for source in
        select s.relation, string_agg(format('%L, v.%I::text', s.role, s.column_name), ', ' order by s.role) as identifiers
        from linkage.review_source as s
        where to_regclass(format('vault.%I', s.relation)) is not null
        group by s.relation
    loop
        return query execute format(
            'select distinct v.record_key, %L::text, jsonb_strip_nulls(jsonb_build_object(%s))'
            ' from vault.%I as v'
            ' where v._valid_from <= $1 and (v._valid_to is null or v._valid_to > $1) and v.record_key in ('
            '     select k.record_key from linkage.review_pair as p cross join lateral unnest(p.records_l || p.records_r) as k (record_key)'
            '     where p.night = $1'
            ' )',
            source.relation, source.identifiers, source.relation
        ) using sample_night;
    end loop;
end
$body$;
comment on function linkage.review_values(date, text) is 'The identifiers of the records in the pairs drawn for a night, for the steward; each call is recorded';
revoke execute on function linkage.review_values(date, text) from public;

-- Stewards judge blind: they may read which pairs to judge, not why those were drawn nor how they scored.
grant usage on schema linkage to wh_steward;
grant execute on function linkage.review_values(date, text) to wh_steward;
grant select (night, pair_id, record_key_l, record_key_r, records_l, records_r, place) on linkage.review_pair to wh_steward;
grant select, insert, update on linkage.review_decision to wh_steward;
