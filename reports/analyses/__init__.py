"""Questions of ecologists and curators, one module each: a table, its summary, and its figure.

Layout is done in `pages`.
"""
