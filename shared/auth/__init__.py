"""Who asks: principals and the credentials that prove them."""
