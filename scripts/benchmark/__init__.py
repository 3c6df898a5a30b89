"""What Tollgate costs: the same calls with no proxy, through bare mitmdump and through Tollgate, side by side."""
