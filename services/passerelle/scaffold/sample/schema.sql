-- The sample's tables, and five postings to look at. Run once, on a new database.
CREATE TABLE postings (
    id INTEGER PRIMARY KEY,
    account TEXT NOT NULL,
    cents INTEGER NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX postings_by_account ON postings (account);
INSERT INTO postings (account, cents, text) VALUES
    ('sample', 150000, 'opening balance'),
    ('sample', -4200, 'stationery'),
    ('sample', -9900, 'telephone'),
    ('sample', 25000, 'invoice 1001'),
    ('sample', -60000, 'rent');
