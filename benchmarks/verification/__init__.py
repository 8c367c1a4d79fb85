"""Verification of a results folder: every stored score and hash is recomputed and compared.

It needs neither data nor kept models. Replaced runs are not verified.
"""
