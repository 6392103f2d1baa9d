-- One round of claims: a cluster and a person that are each other's first choice among those still free. Repeated until
-- nobody is matched, this equals taking the claims one by one in their order.
with free as (
    select o.cluster_no, o.person_id, o.place
    from overlap as o
    where not exists (select from assigned as a where a.cluster_no = o.cluster_no)
        and not exists (select from assigned as a where a.person_id = o.person_id)
),
first_choice as (
    select
        cluster_no, person_id, place,
        min(place) over (partition by cluster_no) as of_cluster,
        min(place) over (partition by person_id)  as of_person
    from free
)
insert into assigned select cluster_no, person_id from first_choice where place = of_cluster and place = of_person;
