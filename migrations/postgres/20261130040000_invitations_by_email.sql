-- The limit on letters to one address counts invitations by their address. Only an addition: the previous release works with it. The same
-- stands in ../sqlite.

CREATE INDEX invitations_by_email ON invitations (email);
