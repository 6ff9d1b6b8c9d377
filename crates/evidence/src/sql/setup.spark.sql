CREATE OR REPLACE TEMPORARY VIEW {{table}} AS
SELECT explode(from_json(value, 'Records ARRAY<STRING>').Records) AS record
FROM text.`{{files}}`
