"""Surrogates: what evaluated caches teach of others, with the error on designs that were held out."""
