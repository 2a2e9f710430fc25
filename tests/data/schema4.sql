-- What the fourth version added: small things of people and robots.
INSERT INTO records VALUES (1, 'odd shelf', 'u-anna', '{"nick":"Änn","n":1}');
