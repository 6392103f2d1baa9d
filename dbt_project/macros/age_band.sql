{#- The age band a person is in on a day, from the year of birth alone: the age reached in that year. Null when the year
    is not known. Bands: those of NDTMS research extracts (OHID), 18-24, then five years each up to 69, and 70+, with one
    for people below the age of the adult collection. Certainty: stated. -#}
{% macro age_band(birth_year, day) -%}
    {%- set age = '(extract(year from ' ~ day ~ ')::integer - ' ~ birth_year ~ ')' -%}
    case
        when {{ birth_year }} is null then null
        when {{ age }} < 18 then 'under 18'
        when {{ age }} < 25 then '18-24'
        when {{ age }} < 70 then {{ age }} / 5 * 5 || '-' || {{ age }} / 5 * 5 + 4
        else '70+'
    end
{%- endmacro %}
