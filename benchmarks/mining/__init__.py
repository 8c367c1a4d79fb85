"""Example mining on the command line: CSV files of examples and answers, the session of an expert, and its local page.

How images are embedded and ranked belongs in `models/imprinting`.
"""
