-- What the third version added: robots are known by what they brought first.
INSERT INTO robot_secrets VALUES (1, 'dusty', 'scrypt$4096$8$1$00$00'), (2, 'rusty', 'none');
