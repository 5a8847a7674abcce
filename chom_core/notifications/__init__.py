"""Messages to people: an inbox with a bell, mail, and whatever channels plugins add; preferences and a mail log."""
