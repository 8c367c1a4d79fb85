"""Figures in one style, static and interactive. What is drawn is computed elsewhere."""
