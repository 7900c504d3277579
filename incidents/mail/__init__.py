"""Letters that come in: alerts to an integration's address, and people's answers to the letters that paged them."""
