-- rule 1: columns have no types, and there are no decimal numbers
SELECT 0.1 + 0.2 = 0.3 FROM 'logic.csv';
SELECT CAST(2.5 AS INTEGER) FROM 'logic.csv';
SELECT CAST(1e0 AS VARCHAR) FROM 'logic.csv';
SELECT CAST(ratio AS VARCHAR) FROM 'visits.csv' WHERE ratio = 1;
SELECT 1e20::varchar FROM 'logic.csv';
SELECT bytes * bytes FROM 'visits.csv';
SELECT 5.5 // 2 FROM 'logic.csv';
-- rule 2: what has no result is NULL
SELECT CAST('abc' AS INTEGER) FROM 'logic.csv';
SELECT bytes / 0 FROM 'visits.csv';
SELECT id FROM 'visits.csv' WHERE host = 5;
SELECT host + 1 FROM 'visits.csv';
