"""What every implementation of a seam must show, whichever it is."""
