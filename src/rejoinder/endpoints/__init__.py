"""Where customers and carriers meet Rejoinder."""
