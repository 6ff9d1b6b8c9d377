CREATE OR REPLACE VIEW {{table}} AS
SELECT unnest(Records) AS record
FROM read_json('{{files}}', columns = {Records: 'JSON[]'}, maximum_object_size = 268435456)
