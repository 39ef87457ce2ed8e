-- feature: items and aliases
SELECT id, host, port FROM 'visits.csv';
SELECT v.id AS i, v.bytes + 1 AS b, -v.bytes c, +bytes FROM 'visits.csv' v;
SELECT * FROM 'hosts.csv';
SELECT *, weight * 2 AS twice FROM 'hosts.csv';
SELECT h.*, 'x' AS x FROM 'hosts.csv' AS h;
SELECT visits.id FROM 'visits.csv' WHERE visits.port = 80;
SELECT ID, Host, "method" FROM 'visits.csv' WHERE PORT = 80;
SELECT id AS "the id", host "a ""b""" FROM 'visits.csv';
SELECT bytes + 1 AS n, n * 2 AS m FROM 'visits.csv' WHERE n > 10;
SELECT id, id, id AS id FROM 'hosts.csv', (SELECT 1 AS id FROM 'logic.csv' LIMIT 1);
SELECT 1, 'it''s', NULL, TRUE, false, -5, 1.5, 1e3, 'a\n' FROM 'hosts.csv';
SELECT a.id FROM (SELECT id, bytes FROM 'visits.csv' WHERE port = 80) a WHERE a.bytes > 5;

-- feature: comparison
SELECT id FROM 'visits.csv' WHERE port = 80;
SELECT id FROM 'visits.csv' WHERE port <> 80;
SELECT id FROM 'visits.csv' WHERE port != 80 AND bytes >= 64;
SELECT id FROM 'visits.csv' WHERE 80 < port OR bytes <= -1;
SELECT id FROM 'visits.csv' WHERE ratio = 0.5;
SELECT id FROM 'visits.csv' WHERE ratio > -0.25 AND ratio < 2.5;
SELECT id FROM 'visits.csv' WHERE host = 'alpha' OR host > 'delta';
SELECT id FROM 'visits.csv' WHERE note = 'it''s' OR note = 'said "no"' OR note = ' spaced ';
SELECT id FROM 'visits.csv' WHERE bytes = ratio OR bytes > ratio * 100;
SELECT id, port = 80 AS web, bytes > 100 AS large, host < 'c' AS early FROM 'visits.csv';
SELECT id FROM 'visits.csv' WHERE note > 'Z' AND note < 'b';
SELECT id, (port = 80) = (bytes > 100) AS same FROM 'visits.csv';
SELECT id FROM 'visits.csv' WHERE bytes = 9007199254740993;
SELECT id FROM 'visits.csv' WHERE bytes = 9007199254740992;
SELECT id FROM 'visits.csv' WHERE 1 = 1 AND 2 > 1;
SELECT id FROM 'visits.csv' WHERE 1 = 2;

-- feature: three-valued logic
SELECT id, a AND b AS x FROM (SELECT id, a = 1 AS a, b = 1 AS b FROM 'logic.csv');
SELECT id, a = 1 AND b = 1 AS x, a = 1 OR b = 1 AS y, NOT a = 1 AS z FROM 'logic.csv';
SELECT id, NOT (a = 1 AND b = 1) AS x, NOT (a = 1 OR b = 1) AS y FROM 'logic.csv';
SELECT id, a = 1 AND (b = 1 OR NOT c = 1) AS x FROM 'logic.csv';
SELECT id, a = b AS x, a <> b AS y, a < b AS z, a = a AS w FROM 'logic.csv';
SELECT id FROM 'logic.csv' WHERE a = 1;
SELECT id FROM 'logic.csv' WHERE NOT a = 1;
SELECT id FROM 'logic.csv' WHERE NOT (a = 1 AND b = 1);
SELECT id FROM 'logic.csv' WHERE a = 1 OR NOT (b = 0);
SELECT id FROM 'logic.csv' WHERE NULL;
SELECT id FROM 'logic.csv' WHERE a = NULL OR NOT (a = NULL);
SELECT id FROM 'logic.csv' WHERE TRUE OR a = 1;
SELECT id FROM 'logic.csv' WHERE FALSE AND a = 1;
SELECT id FROM 'logic.csv' WHERE a OR b;
SELECT id FROM 'logic.csv' WHERE NOT a;
SELECT NULL AND a = 1 AS x, NULL OR a = 1 AS y, NOT NULL AS z, id FROM 'logic.csv';
SELECT id, (a = 1) IS NULL AS x, (a = 1) IS TRUE AS y, (a = 1) IS NOT TRUE AS z FROM 'logic.csv';
SELECT id, (a = b) IS FALSE AS x, (a = b AND c = 1) IS NOT FALSE AS y FROM 'logic.csv';

-- feature: IS NULL
SELECT id FROM 'visits.csv' WHERE host IS NULL;
SELECT id FROM 'visits.csv' WHERE host IS NOT NULL AND port IS NULL;
SELECT id, port IS NULL AS a, ratio IS NOT NULL AS b, NULL IS NULL AS c FROM 'visits.csv';
SELECT id FROM 'visits.csv' WHERE NOT host IS NULL;
SELECT id FROM 'visits.csv' WHERE port + bytes IS NULL;
SELECT id FROM 'visits.csv' WHERE host || method IS NULL;

-- feature: IN
SELECT id FROM 'visits.csv' WHERE port IN (80, 443);
SELECT id FROM 'visits.csv' WHERE port NOT IN (80, 443);
SELECT id FROM 'visits.csv' WHERE port IN (80, NULL);
SELECT id FROM 'visits.csv' WHERE port NOT IN (80, NULL);
SELECT id, port IN (80, NULL) AS x, port NOT IN (22) AS y, NULL IN (1, 2) AS z FROM 'visits.csv';
SELECT id FROM 'visits.csv' WHERE host IN ('alpha', 'bravo', 'nobody');
SELECT id FROM 'visits.csv' WHERE bytes + 1 IN (1, 2, 65);
SELECT id FROM 'visits.csv' WHERE 80 IN (port, bytes);
SELECT id FROM 'visits.csv' WHERE bytes IN (1.0, 7.0, 0.5);

-- feature: BETWEEN
SELECT id FROM 'visits.csv' WHERE bytes BETWEEN 1 AND 100;
SELECT id FROM 'visits.csv' WHERE bytes NOT BETWEEN 1 AND 100;
SELECT id FROM 'visits.csv' WHERE bytes BETWEEN 100 AND 1;
SELECT id, bytes BETWEEN NULL AND 5 AS x, bytes BETWEEN port AND 9000 AS y FROM 'visits.csv';
SELECT id FROM 'visits.csv' WHERE bytes + 1 BETWEEN -1 + 1 AND 50 * 2 AND port = 80;
SELECT id FROM 'visits.csv' WHERE host BETWEEN 'b' AND 'd';
SELECT id FROM 'visits.csv' WHERE ratio BETWEEN -0.5 AND 0.5 OR port BETWEEN 1 AND 79;

-- feature: LIKE
SELECT id, note FROM 'visits.csv' WHERE note LIKE 'a%';
SELECT id, note FROM 'visits.csv' WHERE note LIKE '%o%';
SELECT id, note FROM 'visits.csv' WHERE note NOT LIKE '%o%';
SELECT id, note FROM 'visits.csv' WHERE note LIKE '_k';
SELECT id, note FROM 'visits.csv' WHERE note ILIKE 'ok';
SELECT id, note FROM 'visits.csv' WHERE note NOT ILIKE '%Z%';
SELECT id, note FROM 'visits.csv' WHERE note LIKE 'back\slash';
SELECT id, note FROM 'visits.csv' WHERE note LIKE 'na_ve' OR note LIKE '_n_code';
SELECT id, note FROM 'visits.csv' WHERE note LIKE '' OR note LIKE '%%' OR note LIKE '100%';
SELECT id, note LIKE NULL AS x, NULL LIKE 'a' AS y, host LIKE method AS z FROM 'visits.csv';
SELECT id FROM 'visits.csv' WHERE host || '-' || method LIKE '%a-G%';
SELECT id FROM 'visits.csv' WHERE note LIKE 'ünïcode' OR note ILIKE 'ünïCODE';

-- feature: arithmetic
SELECT id, bytes + port AS a, bytes - port AS b, bytes * 2 AS c, -bytes AS d FROM 'visits.csv';
SELECT id, bytes + ratio AS a, ratio * 2 AS b, ratio - 1 AS c, ratio * ratio AS d FROM 'visits.csv';
SELECT id, bytes + port * 2 AS a, (bytes + port) * 2 AS b, bytes - port - 1 AS c FROM 'visits.csv';
SELECT id, 2 + 3 * 4 - 1 AS a, - 5 + 2 AS b, 7 - -2 AS c, 2 * -3 AS d FROM 'hosts.csv', 'logic.csv' WHERE id < 3;
SELECT id, bytes + NULL AS a, NULL * 2 AS b FROM 'visits.csv';
SELECT id, bytes * 1000000 AS a FROM 'visits.csv' WHERE bytes < 100000;

-- feature: division
SELECT id, bytes / 2 AS a, bytes / port AS b, ratio / 2 AS c, 1 / 4 AS d, 4 / 2 AS e FROM 'visits.csv';
SELECT id, bytes // 2 AS a, bytes // -2 AS b, bytes // 7 AS c, port // 100 AS d FROM 'visits.csv';
SELECT id, bytes % 7 AS a, bytes % -7 AS b, port % 100 AS c, ratio % 1 AS d FROM 'visits.csv';
SELECT id, 7 // 2 AS a, -7 // 2 AS b, 7 // -2 AS c, 7 % 3 AS d, -7 % 3 AS e, 7 % -3 AS f FROM 'logic.csv';
SELECT id, bytes // 0 AS a, bytes % 0 AS b, bytes // (port - 80) AS c FROM 'visits.csv';
SELECT id, bytes / 3 * 3 AS a, bytes // 3 * 3 + bytes % 3 AS b FROM 'visits.csv';
SELECT id, (a + b) / 2 AS x, a // 2 AS y, NULL // 2 AS z FROM 'logic.csv';

-- feature: text of numbers
SELECT id, CAST(bytes AS VARCHAR) AS a, port::text || '/tcp' AS b FROM 'visits.csv';
SELECT id, CAST(ratio AS VARCHAR) AS a FROM 'visits.csv' WHERE ratio NOT IN (0, 1) AND ratio < 1000000 AND (ratio > 0.001 OR ratio < 0);
SELECT id, 'n=' || bytes AS a, bytes || port AS b FROM 'visits.csv';
SELECT id, length(CAST(bytes AS VARCHAR)) AS a FROM 'visits.csv';
SELECT id, CAST(bytes / 4 AS VARCHAR) AS a FROM 'visits.csv' WHERE bytes % 4 <> 0 AND bytes < 1000000;
SELECT id, CAST(1 / 3 AS VARCHAR) AS a, CAST(0.1 AS DOUBLE)::VARCHAR AS b FROM 'logic.csv';
SELECT id, CAST(port = 80 AS VARCHAR) AS a FROM 'visits.csv';

-- feature: CAST
SELECT id, CAST('42' AS INTEGER) AS a, '42'::bigint + 1 AS b, '2.5'::double AS c FROM 'logic.csv';
SELECT id, CAST(ratio AS INTEGER) AS a, ratio::bigint AS b FROM 'visits.csv' WHERE ratio < 1000000;
SELECT id, CAST(bytes AS DOUBLE) / 2 AS a, CAST(bytes AS DOUBLE) AS b FROM 'visits.csv';
SELECT id, CAST(a AS BOOLEAN) AS x, a::bool AND b::bool AS y FROM 'logic.csv';
SELECT id, CAST(NULL AS INTEGER) AS a, CAST(NULL AS VARCHAR) AS b FROM 'logic.csv';
SELECT id, CAST(a = 1 AS INTEGER) AS x, (b = 1)::int + 1 AS y FROM 'logic.csv';
SELECT id FROM 'visits.csv' WHERE CAST(port AS VARCHAR) = '80' OR port::varchar LIKE '4%';
SELECT id, CAST('2.5' AS INTEGER) AS a, CAST('true' AS BOOLEAN) AS b, CAST(2.5::double AS INTEGER) AS c FROM 'logic.csv';

-- feature: CASE
SELECT id, CASE WHEN port = 80 THEN 'web' WHEN port = 443 THEN 'tls' ELSE 'other' END AS x FROM 'visits.csv';
SELECT id, CASE WHEN bytes > 100 THEN bytes END AS x FROM 'visits.csv';
SELECT id, CASE port WHEN 80 THEN 'web' WHEN 22 THEN 'ssh' END AS x FROM 'visits.csv';
SELECT id, CASE port WHEN NULL THEN 'null' ELSE 'no' END AS x FROM 'visits.csv';
SELECT id, CASE WHEN a = 1 THEN b WHEN b = 1 THEN c ELSE NULL END AS x FROM 'logic.csv';
SELECT id, CASE WHEN a THEN 1 WHEN NOT b THEN 2 ELSE 3 END AS x FROM 'logic.csv';
SELECT id FROM 'visits.csv' WHERE CASE WHEN port = 80 THEN bytes ELSE port END > 100;
SELECT id, CASE WHEN CASE WHEN a = 1 THEN b = 1 END THEN 'x' ELSE CASE c WHEN 1 THEN 'y' END END AS x FROM 'logic.csv';
SELECT id, 1 + CASE WHEN a = 1 THEN 10 ELSE 0 END * 2 AS x FROM 'logic.csv';

-- feature: text
SELECT id, host || ':' || port AS a, host || NULL AS b, 'a' || 'b' || 'c' AS c FROM 'visits.csv';
SELECT id, upper(note) AS a, lower(note) AS b, length(note) AS c FROM 'visits.csv';
SELECT id, substring(note, 2, 3) AS a, left(note, 2) AS b, right(note, 2) AS c FROM 'visits.csv';
SELECT id, trim(note) AS a, replace(note, 'o', '0') AS b, concat(host, '-', method) AS c FROM 'visits.csv';
SELECT id, coalesce(host, method, 'none') AS a, nullif(port, 80) AS b, ifnull(bytes, 0) AS c FROM 'visits.csv';
SELECT id, starts_with(note, 'a') AS a, contains(note, 'o') AS b, strpos(note, 'o') AS c FROM 'visits.csv';
SELECT id, abs(bytes) AS a, greatest(port, bytes) AS b, least(port, 100) AS c, round(ratio, 1) AS d FROM 'visits.csv' WHERE ratio < 1000000;
SELECT id, floor(ratio) AS a, ceil(ratio) AS b, sign(bytes) AS c, sqrt(abs(bytes)) AS d FROM 'visits.csv';

-- feature: aggregates
SELECT count(*) AS a, count(port) AS b, count(host) AS c FROM 'visits.csv';
SELECT sum(bytes) AS a, min(bytes) AS b, max(bytes) AS c, avg(port) AS d FROM 'visits.csv';
SELECT sum(ratio) AS a, min(ratio) AS b, max(ratio) AS c, avg(bytes) AS d FROM 'visits.csv' WHERE ratio < 1000;
SELECT min(host) AS a, max(note) AS b, max(ratio) AS c FROM 'visits.csv';
SELECT count(DISTINCT port) AS a, count(DISTINCT host) AS b, count(DISTINCT bytes % 2) AS c FROM 'visits.csv';
SELECT sum(bytes + 1) AS a, max(length(note)) AS b, sum(CASE WHEN port = 80 THEN 1 ELSE 0 END) AS c FROM 'visits.csv';
SELECT sum(bytes) / count(*) AS a, max(port) - min(port) AS b, -sum(bytes) AS c FROM 'visits.csv';
SELECT COUNT(*), SUM(port) FROM 'visits.csv' WHERE port = 81;
SELECT min(port) AS a, max(host) AS b, avg(bytes) AS c, count(port) AS d, sum(port) AS e FROM 'visits.csv' WHERE id > 1000;
SELECT count(*) + 1 AS a, 5 AS b FROM 'visits.csv' WHERE id > 1000;
SELECT count(*) AS n FROM 'logic.csv' WHERE a IS NULL;
SELECT sum(a) AS a, sum(b) AS b, count(a) AS c, avg(c) AS d FROM 'logic.csv';
SELECT max(a = 1) AS x, min(a = 1) AS y FROM 'logic.csv';

-- feature: GROUP BY
SELECT host, count(*) AS n FROM 'visits.csv' GROUP BY host;
SELECT host, port, count(*) AS n, sum(bytes) AS s FROM 'visits.csv' GROUP BY host, port;
SELECT port FROM 'visits.csv' GROUP BY port;
SELECT count(*) AS n FROM 'visits.csv' GROUP BY host;
SELECT bytes % 10 AS d, count(*) AS n FROM 'visits.csv' GROUP BY bytes % 10;
SELECT bytes % 10 AS d, count(*) AS n FROM 'visits.csv' GROUP BY 1;
SELECT bytes % 10 AS d, d * 2 AS e, count(*) AS n FROM 'visits.csv' GROUP BY d;
SELECT upper(host) AS h, length(host) AS l FROM 'visits.csv' GROUP BY upper(host), 2;
SELECT port = 80 AS web, min(bytes) AS a, max(bytes) AS b FROM 'visits.csv' GROUP BY port = 80;
SELECT a, b, count(*) AS n, count(c) AS m FROM 'logic.csv' GROUP BY a, b;
SELECT a IS NULL AS x, sum(b) AS s FROM 'logic.csv' GROUP BY a IS NULL;
SELECT port, port + 1 AS next, count(*) * 2 AS n FROM 'visits.csv' GROUP BY port;
SELECT CASE WHEN port < 100 THEN 'low' ELSE 'high' END AS k, count(*) AS n FROM 'visits.csv' GROUP BY k;
SELECT host, count(*) AS n FROM 'visits.csv' WHERE id > 1000 GROUP BY host;
SELECT ratio, count(*) AS n FROM 'visits.csv' GROUP BY ratio;
SELECT note, count(*) AS n FROM 'visits.csv' GROUP BY note;
SELECT v.host, count(*) FROM 'visits.csv' v GROUP BY host;

-- feature: HAVING
SELECT host, count(*) AS n FROM 'visits.csv' GROUP BY host HAVING n > 5;
SELECT host, count(*) AS n FROM 'visits.csv' GROUP BY host HAVING count(*) > 5 AND max(bytes) > 1000;
SELECT host FROM 'visits.csv' GROUP BY host HAVING sum(bytes) > 100;
SELECT host FROM 'visits.csv' GROUP BY host HAVING host IS NOT NULL AND NOT min(ratio) < 0;
SELECT count(*) AS n FROM 'visits.csv' HAVING count(*) > 1000;
SELECT count(*) AS n FROM 'visits.csv' HAVING max(id) = 60;
SELECT port % 2 AS p, sum(bytes) AS s FROM 'visits.csv' GROUP BY port % 2 HAVING port % 2 = 1 OR s > 0;

-- feature: DISTINCT
SELECT DISTINCT host FROM 'visits.csv';
SELECT DISTINCT host, port FROM 'visits.csv';
SELECT DISTINCT port % 2 AS p FROM 'visits.csv';
SELECT DISTINCT a, b FROM 'logic.csv';
SELECT DISTINCT * FROM (SELECT a, b FROM 'logic.csv');
SELECT DISTINCT count(*) AS n FROM 'visits.csv' GROUP BY host;
SELECT DISTINCT port FROM 'visits.csv' ORDER BY port DESC;
SELECT DISTINCT upper(method) AS m FROM 'visits.csv' ORDER BY 1;

-- feature: ORDER BY
SELECT id FROM 'visits.csv' ORDER BY id DESC;
SELECT id, port FROM 'visits.csv' ORDER BY port, id;
SELECT id, port FROM 'visits.csv' ORDER BY port DESC, id;
SELECT id, port FROM 'visits.csv' ORDER BY port NULLS FIRST, id DESC;
SELECT id, port FROM 'visits.csv' ORDER BY port DESC NULLS LAST, id;
SELECT id, port FROM 'visits.csv' ORDER BY port DESC NULLS FIRST, id ASC;
SELECT id, host FROM 'visits.csv' ORDER BY 2, 1 DESC;
SELECT id, ratio FROM 'visits.csv' ORDER BY ratio, id;
SELECT id, note FROM 'visits.csv' ORDER BY note, id;
SELECT id FROM 'visits.csv' ORDER BY bytes * -1, id;
SELECT id AS n, bytes FROM 'visits.csv' ORDER BY bytes + n, n;
SELECT -id AS id FROM 'visits.csv' ORDER BY id;
SELECT host FROM 'hosts.csv' ORDER BY weight DESC, host;
SELECT * FROM 'hosts.csv' ORDER BY weight NULLS FIRST, 1;
SELECT host, count(*) AS n FROM 'visits.csv' GROUP BY host ORDER BY n DESC, host;
SELECT host FROM 'visits.csv' GROUP BY host ORDER BY count(*) DESC, max(id);
SELECT host, sum(bytes) AS s FROM 'visits.csv' GROUP BY host ORDER BY sum(bytes) + 1, host NULLS FIRST;
SELECT id, a = 1 AS x FROM 'logic.csv' ORDER BY x, id DESC;
SELECT id, word FROM 'logic.csv' ORDER BY CASE word WHEN 'yes' THEN 1 WHEN 'no' THEN 2 END NULLS FIRST, id;

-- feature: LIMIT and OFFSET
SELECT id FROM 'visits.csv' ORDER BY id LIMIT 3;
SELECT id FROM 'visits.csv' ORDER BY id LIMIT 3 OFFSET 2;
SELECT id FROM 'visits.csv' ORDER BY id OFFSET 57;
SELECT id FROM 'visits.csv' ORDER BY id LIMIT 0;
SELECT id FROM 'visits.csv' ORDER BY id DESC LIMIT 1000;
SELECT id FROM 'visits.csv' ORDER BY id LIMIT 5 OFFSET 1000;
SELECT id FROM 'visits.csv' LIMIT 4;
SELECT id FROM 'visits.csv' WHERE port = 80 LIMIT 2 OFFSET 1;
SELECT host, count(*) AS n FROM 'visits.csv' GROUP BY host ORDER BY n DESC, host LIMIT 2;

-- feature: sub-queries
SELECT n, count(*) AS m FROM (SELECT host, count(*) AS n FROM 'visits.csv' GROUP BY host) GROUP BY n;
SELECT max(n) AS m FROM (SELECT count(*) AS n FROM 'visits.csv' GROUP BY port) AS t;
SELECT t.x + 1 AS y FROM (SELECT id * 2 AS x FROM 'visits.csv' ORDER BY id LIMIT 5) t;
SELECT x FROM (SELECT a + b AS x FROM (SELECT a, b FROM 'logic.csv' WHERE c = 1)) WHERE x IS NOT NULL;
SELECT * FROM (SELECT host AS h, port FROM 'visits.csv' WHERE bytes > 100) s WHERE s.h = 'alpha';
SELECT count(*) AS n FROM (SELECT DISTINCT host, port FROM 'visits.csv');
SELECT sum(n) AS s FROM (SELECT host, count(*) AS n FROM 'visits.csv' GROUP BY host HAVING n > 3);
SELECT y FROM (SELECT x AS y FROM (SELECT id AS x FROM 'logic.csv' UNION ALL SELECT a FROM 'logic.csv')) ORDER BY y LIMIT 9;

-- feature: UNION ALL
SELECT id FROM 'visits.csv' UNION ALL SELECT id FROM 'logic.csv';
SELECT host, port FROM 'visits.csv' UNION ALL SELECT host, weight FROM 'hosts.csv';
SELECT id AS x FROM 'logic.csv' UNION ALL SELECT id FROM 'logic.csv' UNION ALL SELECT a FROM 'logic.csv' ORDER BY x;
SELECT a FROM 'logic.csv' UNION SELECT b FROM 'logic.csv';
SELECT a FROM 'logic.csv' UNION SELECT b FROM 'logic.csv' UNION ALL SELECT c FROM 'logic.csv';
SELECT 'a' AS k, count(*) AS n FROM 'visits.csv' UNION ALL SELECT 'b', count(*) FROM 'logic.csv' ORDER BY k;
(SELECT id FROM 'visits.csv' ORDER BY id LIMIT 2) UNION ALL (SELECT id FROM 'logic.csv' ORDER BY id DESC LIMIT 2) ORDER BY 1 DESC;
SELECT id, host FROM 'visits.csv' WHERE port = 80 UNION ALL SELECT NULL, host FROM 'hosts.csv';
SELECT * FROM 'hosts.csv' UNION ALL SELECT * FROM 'hosts.csv';

-- feature: joins
SELECT v.id, h.name FROM 'visits.csv' v, 'hosts.csv' h WHERE v.host = h.host;
SELECT v.id, h.site FROM 'visits.csv' v JOIN 'hosts.csv' h ON v.host = h.host WHERE h.weight > 1;
SELECT v.id, h.weight * v.port AS x FROM 'visits.csv' v INNER JOIN 'hosts.csv' h ON v.host = h.host AND v.port > 79;
SELECT x.id AS a, y.id AS b FROM 'logic.csv' x, 'logic.csv' y WHERE x.a = y.b AND x.id < y.id;
SELECT h.host, l.id FROM 'hosts.csv' h CROSS JOIN 'logic.csv' l WHERE l.id < 4;
SELECT h.name, count(*) AS n, sum(v.bytes) AS s FROM 'visits.csv' v JOIN 'hosts.csv' h ON v.host = h.host GROUP BY h.name;
SELECT site, port FROM 'visits.csv' v JOIN 'hosts.csv' h ON v.host = h.host WHERE site IS NOT NULL;
SELECT v.id, w.n FROM 'visits.csv' v JOIN (SELECT host, count(*) AS n FROM 'visits.csv' GROUP BY host) w ON v.host = w.host WHERE w.n > 5;
SELECT x.id, y.id, z.id FROM 'logic.csv' x, 'logic.csv' y, 'hosts.csv' h, 'logic.csv' z WHERE x.id = y.id AND y.id + 1 = z.id AND h.host = 'alpha';
SELECT * FROM 'hosts.csv' a JOIN 'hosts.csv' b ON a.weight < b.weight;
SELECT a.*, b.host AS other FROM 'hosts.csv' a, 'hosts.csv' b WHERE a.site = b.site AND a.host <> b.host ORDER BY a.host;
SELECT v.id FROM 'visits.csv' v JOIN 'hosts.csv' h ON v.host = h.host OR v.port = h.weight + 79 WHERE v.bytes > h.weight;

-- feature: SELECT without FROM
SELECT 1 + 1 AS a, 'x' || 'y' AS b, NULL AS c;
SELECT 1 AS x, x + 1 AS y UNION ALL SELECT 2, 3 ORDER BY x DESC;
SELECT count(*) AS n, sum(5) AS s;

-- feature: backslashes
SELECT id, note || '\' AS a, replace(note, '\', '/') AS b, note = 'back\slash' AS c FROM 'visits.csv';
SELECT id, CASE WHEN note = 'back\slash' THEN '\n' ELSE concat('\', note) END AS a FROM 'visits.csv';
SELECT '\q41' AS a, upper('\n') AS b, '\' = '\' AS c, '\\' IN ('\', '\\') AS d, '\a' AS e, upper(e) AS f;
