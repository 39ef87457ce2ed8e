-- rule 1: values have kinds, columns have no types; there are no decimal numbers
SELECT 0.1 + 0.2 = 0.3;
SELECT CAST(2.5 AS INTEGER);
SELECT CAST(1e0 AS VARCHAR);
SELECT 1e20::varchar;
SELECT ratio || '' FROM 'visits.csv' WHERE ratio = 1;
SELECT 5.5 // 2;
SELECT start FROM 'flows.csv';
SELECT bytes * bytes FROM 'visits.csv';
-- rule 2: what has no result is NULL
SELECT CAST('abc' AS INTEGER);
SELECT 1 / 0;
SELECT host + 1 FROM 'visits.csv';
SELECT id FROM 'visits.csv' WHERE host = 5;
SELECT greatest(1, 'a');
-- rule 3: unquoted words that read as addresses or dates are constants
SELECT 2024-01-31;
SELECT 10.0.0.1 = '10.0.0.1';
-- rule 4: texts are written so that they can be read back
SELECT '\x41';
