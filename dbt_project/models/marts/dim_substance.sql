{{ config(indexes=[{'columns': ['drug_code'], 'unique': true}]) }}

select
    drug_code,
    label as substance,
    drug_class,
    substance_group,
    is_heroin_or_crack
from {{ ref('drugs') }}
order by drug_code
