"""What every part shares and no part owns: words, settings, errors, database, clock."""
