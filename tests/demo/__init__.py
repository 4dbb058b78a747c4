"""The product on one terminal: a story that real processes play, without a Discord account."""
