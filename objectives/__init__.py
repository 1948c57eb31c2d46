"""What a choice costs: models that turn designs into figures, and objectives made of them."""
