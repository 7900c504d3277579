"""Other products' APIs, spoken as their senders expect them."""
