-- Plain descriptions of the built-in scopes. No user could change them. Only texts: the previous release works with them. The same
-- statements are in both folders.

UPDATE scopes SET description = 'Read this project and its keys through the API' WHERE name = 'keyward:keys.read';
UPDATE scopes SET description = 'Create, edit, and deactivate keys through the API' WHERE name = 'keyward:keys.write';
