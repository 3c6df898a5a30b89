"""What Tollgate costs: the same calls without a proxy, through bare mitmdump and through Tollgate."""
