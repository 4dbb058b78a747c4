"""Reading what members write, without Discord: times, words, patterns."""
