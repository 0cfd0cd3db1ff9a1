"""Turn recordings into those of earlier versions."""

TO_VERSION_3 = """
ALTER TABLE run DROP COLUMN name;
PRAGMA user_version = 3;
"""
TO_VERSION_2 = f"""{TO_VERSION_3}
ALTER TABLE steps DROP COLUMN scalars;
PRAGMA user_version = 2;
"""
TO_VERSION_1 = f"""{TO_VERSION_2}
ALTER TABLE run DROP COLUMN imported;
ALTER TABLE steps DROP COLUMN collapsed;
DROP TABLE joined;
PRAGMA user_version = 1;
"""
